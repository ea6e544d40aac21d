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
 * Optimal sparsification: keeps xᵢ with probability pᵢ = min(1, |xᵢ| / t) and divides it by pᵢ, where t is such that k numbers are
 * kept on average, or max(1, ⌊ratio · d⌋) of d numbers.
 *
 * A histogram finds t, without a sort. It is rounded down to float32, so that the variance is not above the promised one.
 *
 * - Guarantee: unbiased with variance Σ |xᵢ| (t − |xᵢ|) over |xᵢ| < t, the least of all unbiased sparsifiers, and at most ω ‖x‖²
 *   with ω = d/k − 1, which equal magnitudes reach.
 * - Message: t, the numbers above t as float32, the sign of the others that are kept, all of which are sent as ± t, and the
 *   indices of both. Its length is random.
 * - Memory: 8 bytes a number.
 * - Source: Wangni, Wang, Liu, Zhang: "Gradient sparsification for communication-efficient distributed optimization",
 *   arXiv:1710.09854; the same as entrywise ATOMO, arXiv:1806.04090.
 * - Choose it where a few numbers hold most of the gradient and the result must be unbiased.
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
    // The two counts, two index sets of at most size + 2 bits each, `size` signs at most, and at most k values.
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

/**
 * Writes the indices of the numbers above the level to `certain`, and of the others those with u < |x| / level to `drawn`,
 * where u ∈ [0, 1) has 32 bits. Returns how many there are of both.
 */
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
