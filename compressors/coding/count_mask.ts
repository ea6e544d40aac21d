/**
 * COUNTMASK: the code of a set of `count` positions out of `size`, where both are known. It takes log₂ C(size, count) bits,
 * where C is the binomial coefficient, and at most 2 more: the fewest there can be.
 *
 * It is arithmetic coding, position by position: a position is in the set ("in") or not ("out"), and "out" has the
 * probability (outs left) / (positions left). So every set of this size gets the same share of the interval. The interval
 * has 48 bits, so that all numbers below are integers under 2⁵³, which doubles hold exactly. FORMAT.md has the layout.
 *
 * @module
 */

import { refuse } from "./refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** The whole interval, and the length below which a byte is shifted out of it. */
const FULL = 2 ** 48, TOP = 2 ** 40;
const bytesOf = scratch(Uint8Array);

/** The most bits that a count-mask of `size` positions takes: log₂ C(size, count) ≤ size, and some for rounding and the end. */
export function countMaskBitLength(size: number): number {
  return size + 8;
}

/**
 * Writes the first `count` indices, which ascend and are below `size`, from bit `bitAt` of the message on. The bits before
 * it in its byte are kept. Returns the position after the last bit; its byte ends with zeros.
 */
export function encodeCountMask(
  indices: Uint32Array,
  count: number,
  size: number,
  message: Uint8Array,
  bitAt: number,
): number {
  const bytes = bytesOf((size >>> 3) + 16);
  let low = 0, range = FULL, at = 0, ins = count, outs = size - count;
  for (let position = 0, next = 0; ins > 0 && outs > 0; position++) {
    const out = Math.floor(range / (ins + outs)) * outs;
    if (position === indices[next]) {
      next++, ins--;
      low += out, range -= out; // "in" takes the remainder of the division too.
      if (low >= FULL) {
        low -= FULL;
        carry(bytes, at);
      }
    } else outs--, range = out;
    while (range < TOP) {
      const byte = Math.floor(low / TOP);
      bytes[at++] = byte;
      low = (low - byte * TOP) * 256, range *= 256;
    }
  }
  // The fewest bits which stay within [low, low + range) whatever follows them.
  const bits = endBits(low, range), unit = 2 ** (48 - bits);
  let end = Math.ceil(low / unit) * unit;
  if (end >= FULL) {
    end -= FULL;
    carry(bytes, at);
  }
  const length = 8 * at + bits;
  for (let left = bits; left > 0; left -= 8) {
    const byte = Math.floor(end / TOP);
    bytes[at++] = byte;
    end = (end - byte * TOP) * 256;
  }
  const shift = bitAt & 7, start = bitAt >>> 3;
  if (shift === 0) message.set(bytes.subarray(0, at), start);
  else {
    let last = message[start]! & ~(255 >>> shift);
    for (let i = 0; i < at; i++) {
      message[start + i] = last | (bytes[i]! >>> shift);
      last = (bytes[i]! << (8 - shift)) & 255;
    }
    // The last byte is written only if bits reach into it.
    if ((bitAt + length + 7 >>> 3) > start + at) message[start + at] = last;
  }
  return bitAt + length;
}

/**
 * Reads what {@linkcode encodeCountMask} wrote from `bitAt` on into the first `count` of `indices`, and returns the position
 * after the last bit.
 *
 * @throws {RangeError} if the message ends before, or the last bits are not those that an encoder writes for the set
 */
export function decodeCountMask(
  message: Uint8Array,
  bitAt: number,
  count: number,
  size: number,
  indices: Uint32Array,
): number {
  const shift = bitAt & 7;
  let low = 0, code = 0, range = FULL, at = bitAt >>> 3, ins = count, outs = size - count, position = 0, next = 0;
  // `code` is what was read, less `low`, which is known modulo 2⁴⁸. Bits past the end of the message are read as 0.
  let left = at < message.length ? message[at]! : 0;
  for (let i = 0; i < 6; i++) code = code * 256 + following();
  for (; ins > 0 && outs > 0; position++) {
    const out = Math.floor(range / (ins + outs)) * outs;
    if (code < out) outs--, range = out;
    else {
      indices[next++] = position, ins--;
      low += out, code -= out, range -= out;
      if (low >= FULL) low -= FULL;
    }
    while (range < TOP) {
      low = (low % TOP) * 256, range *= 256;
      code = code * 256 + following();
    }
  }
  for (; ins > 0; ins--) indices[next++] = position++;
  // Six bytes were read ahead.
  const bits = endBits(low, range), unit = 2 ** (48 - bits), end = 8 * (at - 6) + shift + bits;
  // Among the numbers of so many bits in the interval an encoder writes the least.
  if (Math.floor(((low + code) % FULL) / unit) * unit !== Math.ceil(low / unit) * unit % FULL) {
    refuse("an index set", "it does not end as an encoder ends it");
  }
  if (end > 8 * message.length) {
    refuse("an index set", `it ends after bit ${end}, the message has ${8 * message.length}`);
  }
  return end;

  /** The next 8 bits. */
  function following(): number {
    const next = ++at < message.length ? message[at]! : 0, byte = ((left << shift) | (next >>> (8 - shift))) & 255;
    left = next;
    return byte;
  }
}

/** Adds 1 to the bytes before `at`, read as one number. */
function carry(bytes: Uint8Array, at: number): void {
  for (let i = at - 1; (bytes[i] = bytes[i]! + 1) === 256; i--);
}

/** The least n for which [low, low + range) holds a multiple of 2^(48 − n) and all numbers from it to the next multiple. */
function endBits(low: number, range: number): number {
  for (let bits = 0, unit = FULL;; bits++, unit /= 2) {
    if (Math.ceil(low / unit) * unit + unit <= low + range) return bits;
  }
}
