/**
 * INDEXSET: the code of a set of `count` indices below `size`, where sender and receiver know both, in the shortest of three
 * forms. Nothing is sent for the empty and the full set.
 *
 * | first bits: size ≤ 65536 | above | form                                                       |
 * | ------------------------ | ----- | ---------------------------------------------------------- |
 * | 0                        |       | a count-mask                                               |
 * | 10                       | 0     | the gap before each index, Rice coded                      |
 * | 11                       | 11    | a bitmap: a bit for each position, 1 where it is an index  |
 *
 * The count-mask is at most 2 bits above log₂ C(size, count), the fewest for sets without structure, but takes a few ns a
 * position: only sets of at most 65536 positions are tried in it. The other forms take at most 3 % more for sets of up to
 * three fifths of the positions. Sets with structure may be shorter in any form.
 *
 * @module
 */

import { BitReader, BitWriter } from "./bits.ts";
import { countMaskBitLength, decodeCountMask, encodeCountMask } from "./count_mask.ts";
import { riceBits } from "./rice.ts";
import { refuse } from "./refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** The most positions of sets that are tried as count-masks, which takes less than half a millisecond then. */
const EXACT = 2 ** 16;
const trialOf = scratch(Uint8Array);

/** The most bits that {@linkcode encodeIndexSet} writes: those of a bitmap, or of the longest Rice-coded gaps if fewer. */
export function indexSetBitLength(count: number, size: number): number {
  const rice = riceBits(count, size);
  return 2 + Math.min(size, count * (rice + 1) + ((size - count) >>> rice));
}

/**
 * Writes the first `count` indices, which ascend and are below `size`, from bit `bitAt` of the message on. The bits before
 * it in its byte are kept. Returns the position after the last bit; its byte ends with zeros.
 */
export function encodeIndexSet(
  indices: Uint32Array,
  count: number,
  size: number,
  message: Uint8Array,
  bitAt: number,
): number {
  if (count === 0 || count === size) return bitAt;
  const rice = riceBits(count, size);
  let riceLength = count * (rice + 1);
  for (let i = 0, from = 0; i < count; i++) riceLength += (indices[i]! - from) >>> rice, from = indices[i]! + 1;
  const exact = size <= EXACT, writer = new BitWriter(message);
  writer.seek(bitAt);
  const shortest = Math.min(riceLength, size) + (exact || size < riceLength ? 2 : 1);
  if (exact) {
    const trial = trialOf((countMaskBitLength(size) >>> 3) + 1),
      length = encodeCountMask(indices, count, size, trial, 0);
    if (1 + length <= shortest) {
      writer.write(0, 1);
      for (let bit = 0; bit < length; bit += 8) {
        const bits = Math.min(8, length - bit);
        writer.write(trial[bit >>> 3]! >>> (8 - bits), bits);
      }
      return end(writer);
    }
  }
  if (riceLength <= size) {
    writer.write(exact ? 2 : 0, exact ? 2 : 1);
    for (let i = 0, from = 0; i < count; i++) {
      const gap = indices[i]! - from;
      writer.unary(gap >>> rice);
      if (rice > 0) writer.write(gap, rice);
      from = indices[i]! + 1;
    }
    return end(writer);
  }
  writer.write(3, 2);
  for (let position = 0, next = 0; position < size; position += 8) {
    let byte = 0;
    for (; next < count && indices[next]! < position + 8; next++) byte |= 128 >>> (indices[next]! - position);
    const bits = Math.min(8, size - position);
    writer.write(byte >>> (8 - bits), bits);
  }
  return end(writer);
}

/** Fills the last byte, and returns the position after the last bit. */
function end(writer: BitWriter): number {
  const { position } = writer;
  writer.finish();
  return position;
}

/**
 * Reads what {@linkcode encodeIndexSet} wrote from `bitAt` on into the first `count` of `indices`, and returns the position
 * after the last bit. The indices ascend and are below `size`, whatever the bytes are.
 *
 * @throws {RangeError} if the bits are not such a set
 */
export function decodeIndexSet(
  message: Uint8Array,
  bitAt: number,
  count: number,
  size: number,
  indices: Uint32Array,
): number {
  if (count === 0 || count === size) {
    for (let i = 0; i < count; i++) indices[i] = i;
    return bitAt;
  }
  const reader = new BitReader(message), exact = size <= EXACT;
  reader.seek(bitAt);
  const first = reader.read(1) === 0;
  if (exact && first) return decodeCountMask(message, bitAt + 1, count, size, indices);
  if (first || reader.read(1) === 0) {
    if (!exact && !first) refuse("an index set", "its form is 10, expected 0 or 11");
    const rice = riceBits(count, size);
    for (let i = 0, from = 0; i < count; i++) {
      const gap = (reader.unary((size - from) >>> rice) << rice) + (rice > 0 ? reader.read(rice) : 0),
        index = from + gap;
      if (index >= size) refuse("an index set", `an index is ${index}, expected less than ${size}`);
      indices[i] = index, from = index + 1;
    }
    return reader.position;
  }
  let n = 0;
  for (let position = 0; position < size; position += 8) {
    const bits = Math.min(8, size - position);
    for (let byte = reader.read(bits) << (8 - bits); byte !== 0;) {
      const at = Math.clz32(byte) - 24;
      if (n < count) indices[n] = position + at;
      n++, byte &= ~(128 >>> at);
    }
  }
  if (n !== count) refuse("an index set", `its bitmap has ${n} indices, expected ${count}`);
  return reader.position;
}
