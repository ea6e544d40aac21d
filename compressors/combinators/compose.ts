import { requireCompressor } from "../check.ts";
import { fold, type Key } from "../../random.ts";
import {
  type Compressor,
  type ContractiveCompressor,
  describe,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "../compressor.ts";
import { requirePadding } from "../coding/refuse.ts";
import { decodeIndexSet, encodeIndexSet, indexSetBitLength } from "../coding/index_set.ts";
import { clampVector } from "../kernels/float32.ts";
import { scratch } from "../kernels/scratch.ts";
import { isSparsifier, type Sparsifier } from "../sparsifiers/sparsifier.ts";

/**
 * Quantizes the numbers that a sparsifier keeps: Q(topK(x)) or Q(randK(x)).
 *
 * - Guarantee, with k of d numbers kept: with randK and an unbiased Q, unbiased with ω = (1 + ω_Q(k)) d/k − 1. With topK and a
 *   contractive Q, contractive with α = 1 − (1 − α_Q(k)) k/d, in every draw where Q's bound holds in every draw. With topK and a
 *   Q that is unbiased only, its numbers are divided by 1 + ω_Q(k), and the result is contractive on average with
 *   α = 1 − k / (d (1 + ω_Q(k))).
 * - Message: the indices, which the key tells for randK, and the message of Q for k numbers, with the key `fold(key, 1)`.
 * - Source: Basu, Data, Karakus, Diggavi: "Qsparse-local-SGD", arXiv:1906.02367.
 * - Choose it where the values of a sparsifier take more bits than their positions.
 *
 * @throws {TypeError} unless the second is topK or randK and the first is of a class that goes with it
 *
 * @example
 * ```ts
 * import { compose, qsgd, topK } from "@gradwire/tfjs";
 * const { alpha } = compose(qsgd({ levels: 15 }), topK({ ratio: 0.1 }));
 * console.assert(alpha(1000) < 0.93); // topK alone: 0.9
 * ```
 */
export function compose(quantizer: UnbiasedCompressor, sparsifier: UnbiasedCompressor & Sparsifier): UnbiasedCompressor;
/** With topK: contractive. */
export function compose(
  quantizer: UnbiasedCompressor | ContractiveCompressor,
  sparsifier: ContractiveCompressor & Sparsifier,
): ContractiveCompressor;
export function compose(quantizer: Compressor, sparsifier: Compressor): Compressor {
  requireCompressor("make compose", quantizer), requireCompressor("make compose", sparsifier);
  const refuse = (expected: string): never => {
    throw new TypeError(`Cannot compose ${describe(quantizer)} with ${describe(sparsifier)}: expected ${expected}`);
  };
  if (!isSparsifier(sparsifier)) return refuse("topK or randK as the second");
  const { kept } = sparsifier, share = (size: number) => size === 0 ? 1 : kept(size) / size;
  if (isUnbiased(sparsifier)) {
    if (!isUnbiased(quantizer)) return refuse("an unbiased compressor as the first");
    const compressor: UnbiasedCompressor = {
      ...composed(quantizer, sparsifier, (size) => 1 / share(size)),
      omega: (size) => (1 + quantizer.omega(kept(size))) / share(size) - 1,
    };
    return compressor;
  }
  if (isContractive(quantizer)) {
    const compressor: ContractiveCompressor = {
      ...composed(quantizer, sparsifier, () => 1),
      alpha: (size) => 1 - (1 - quantizer.alpha(kept(size))) * share(size),
      everyDraw: quantizer.everyDraw,
    };
    return compressor;
  }
  if (!isUnbiased(quantizer)) return refuse("an unbiased or contractive compressor as the first");
  const factor = (size: number) => 1 / (1 + quantizer.omega(kept(size)));
  const compressor: ContractiveCompressor = {
    ...composed(quantizer, sparsifier, factor),
    alpha: (size) => 1 - share(size) * factor(size),
    everyDraw: false,
  };
  return compressor;
}

/** The compressor but for its constants. Decoded numbers are `factor` times what the quantizer makes of those kept. */
function composed(quantizer: Compressor, sparsifier: Sparsifier, factor: (size: number) => number): Compressor {
  const { kept } = sparsifier, indicesOf = scratch(Uint32Array), valuesOf = scratch(Float32Array);
  const select = (vector: Float32Array, key: Key, indices: Uint32Array) => sparsifier.select(vector, key, indices);
  return {
    name: "compose",
    options: {},
    parts: [quantizer, sparsifier],
    maxByteLength: (size) =>
      (sparsifier.keyed ? 0 : (indexSetBitLength(kept(size), size) + 7) >>> 3) + quantizer.maxByteLength(kept(size)),
    encode(vector, key, message) {
      const size = vector.length, k = kept(size), indices = indicesOf(k), values = valuesOf(k);
      select(vector, key, indices);
      const at = sparsifier.keyed ? 0 : (encodeIndexSet(indices, k, size, message, 0) + 7) >>> 3;
      for (let j = 0; j < k; j++) values[j] = vector[indices[j]!]!;
      return at + quantizer.encode(values, fold(key, 1), message.subarray(at));
    },
    decodeAdd(message, key, scale, into) {
      const size = into.length, k = kept(size), indices = indicesOf(k), values = valuesOf(k).fill(0);
      let at = 0;
      if (sparsifier.keyed) select(into, key, indices);
      else {
        const end = decodeIndexSet(message, 0, k, size, indices);
        requirePadding("compose", message, end);
        at = (end + 7) >>> 3;
      }
      quantizer.decodeAdd(message.subarray(at), fold(key, 1), factor(size), values);
      clampVector(values);
      for (let j = 0; j < k; j++) into[indices[j]!]! += scale * values[j]!;
    },
  };
}
