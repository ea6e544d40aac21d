import { bits } from "../../random.ts";
import { BitReader, BitWriter } from "../coding/bits.ts";
import { refuse, requireLength, requirePadding } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { floorFloat32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { type Count, countOf } from "./count.ts";
import { decodeIndexSet, encodeIndexSet } from "../coding/index_set.ts";
import { gatherFloats, scatterFloats } from "../kernels/gather_floats.ts";
import { waterLevel } from "../kernels/water_filling.ts";
import { scratch } from "../kernels/scratch.ts";

const BLOCK = 2048;
const words = new Uint32Array(BLOCK), certainOf = scratch(Uint32Array), drawnOf = scratch(Uint32Array);

/**
 * Optimal sparsification: keeps xᵢ with probability pᵢ = min(1, |xᵢ| / t) and then sends xᵢ / pᵢ, with t such that k numbers
 * are kept in the mean. Of all unbiased sparsifiers the one of least variance: Σ |xᵢ| (t − |xᵢ|) over |xᵢ| < t. ω = d/k − 1,
 * attained where all magnitudes are equal. `k`, or max(1, ⌊ratio · d⌋).
 *
 * The message is t, the numbers above t as they are, and for the others, which are all sent as ± t, index and sign.
 * Its length is random. t comes from a histogram, without a sort.
 *
 * Source: Wangni, Wang, Liu, Zhang: "Gradient sparsification for communication-efficient distributed optimization",
 * arXiv:1710.09854. Entrywise ATOMO (arXiv:1806.04090) is the same.
 *
 * @throws {TypeError} unless one of k and ratio is given
 * @throws {RangeError} unless k is an integer ≥ 1, or 0 < ratio ≤ 1
 *
 * @example
 * ```ts
 * import { compress, decompress, key, optimalSparsification } from "@gradwire/tfjs";
 * const c = optimalSparsification({ k: 2 }), message = compress(c, Float32Array.of(10, 1, 1, 1), key(1));
 * const values = decompress(c, message, key(1), 4);
 * console.assert(values[0] === 10 && values.subarray(1).every((value) => value === 0 || value === 3));
 * ```
 */
export function optimalSparsification(count: Count): UnbiasedCompressor {
  const countFor = countOf("optimalSparsification", count);
  const width = (size: number) => 32 - Math.clz32(size);
  return {
    name: "optimalSparsification",
    options: { ...count },
    omega: (size) => size === 0 ? 0 : size / countFor(size) - 1,
    // Two index sets of at most size + 2 bits, signs, and values of no more than k.
    maxByteLength: (size) => 4 + Math.ceil((2 * width(size) + 3 * size + 4) / 8) + 4 * countFor(size),
    encode(vector, key, message) {
      // Rounded down, so that the variance does not exceed what is promised.
      const size = vector.length, level = floorFloat32(waterLevel(vector, countFor(size)));
      const certain = certainOf(size),
        drawn = drawnOf(size),
        { sure, chance } = draw(vector, level, key, certain, drawn);
      const writer = new BitWriter(message, writeFloat(level, message, 0));
      writer.write(sure, width(size)), writer.write(chance, width(size));
      const { position } = writer;
      writer.finish();
      let end = encodeIndexSet(certain, sure, size, message, position);
      end = encodeIndexSet(drawn, chance, size, message, end);
      writer.seek(end);
      for (let j = 0; j < chance; j++) writer.write(vector[drawn[j]!]! < 0 ? 1 : 0, 1);
      return gatherFloats(vector, certain, sure, message, writer.finish());
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length,
        level = readScale("optimalSparsification", message, 0),
        reader = new BitReader(message, 4);
      const sure = reader.read(width(size)), chance = reader.read(width(size));
      if (sure + chance > size) refuse("optimalSparsification", `it has ${sure} + ${chance} of ${size} numbers`);
      const certain = certainOf(sure), drawn = drawnOf(chance);
      reader.seek(
        decodeIndexSet(message, decodeIndexSet(message, reader.position, sure, size, certain), chance, size, drawn),
      );
      if (meet(certain, sure, drawn, chance)) refuse("optimalSparsification", "an index comes twice");
      for (let j = 0; j < chance; j++) into[drawn[j]!]! += scale * (reader.read(1) === 1 ? -level : level);
      const at = (reader.position + 7) >>> 3;
      requirePadding("optimalSparsification", message, reader.position);
      requireLength("optimalSparsification", message, at + 4 * sure);
      const most = scatterFloats(message, at, certain, sure, scale, into);
      if (!Number.isFinite(most)) refuse("optimalSparsification", `a value is ${most}, expected a finite number`);
    },
  };
}

/** Who is sent for certain (above the level), and who by chance: u < |x| / level, u of 32 bits. */
function draw(
  vector: Float32Array,
  level: number,
  key: readonly [number, number],
  certain: Uint32Array,
  drawn: Uint32Array,
): { sure: number; chance: number } {
  const unit = level * 2 ** -32;
  let sure = 0, chance = 0;
  for (let from = 0; from < vector.length; from += BLOCK) {
    const to = Math.min(vector.length, from + BLOCK);
    bits(key, to - from === BLOCK ? words : words.subarray(0, to - from), from);
    for (let i = from; i < to; i++) {
      const magnitude = Math.abs(vector[i]!);
      if (magnitude > level) certain[sure++] = i;
      else if (words[i - from]! * unit < magnitude) drawn[chance++] = i;
    }
  }
  return { sure, chance };
}

/** Whether two ascending lists share an index. */
function meet(a: Uint32Array, countA: number, b: Uint32Array, countB: number): boolean {
  for (let i = 0, j = 0; i < countA && j < countB;) {
    if (a[i] === b[j]) return true;
    if (a[i]! < b[j]!) i++;
    else j++;
  }
  return false;
}
