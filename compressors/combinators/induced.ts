import { requireContractive, requireUnbiased } from "../check.ts";
import { fold } from "../../random.ts";
import type { ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";
import { Frames } from "../coding/frames.ts";
import { addClamped, clampVector } from "../kernels/float32.ts";
import { scratch } from "../kernels/scratch.ts";

/**
 * The induced compressor C(x) + Q(x − C(x)) of a contractive C and an unbiased Q.
 *
 * Keys are folded with 0 for C and 1 for Q.
 *
 * - Guarantee: unbiased with ω = α ω_Q, where α is that of C.
 * - Message: both, and at most two bytes.
 * - Memory: one vector.
 * - Source: Horváth, Richtárik: "A better alternative to error feedback", arXiv:2006.11077.
 * - Choose it where a method asks for an unbiased compressor, as `diana`, `marina` and `adiana` do, and you want a contractive
 *   one such as `topK`.
 *
 * @example
 * ```ts
 * import { induced, randK, topK } from "@gradwire/tfjs";
 * console.assert(induced(topK({ k: 5 }), randK({ k: 5 })).omega(10) === 0.5); // (1 − 5/10) (10/5 − 1)
 * ```
 */
export function induced(biased: ContractiveCompressor, unbiased: UnbiasedCompressor): UnbiasedCompressor {
  requireContractive("make induced", biased), requireUnbiased("make induced", unbiased);
  const frames = new Frames("induced"), partOf = scratch(Float32Array), both = [biased, unbiased] as const;
  return {
    name: "induced",
    options: {},
    parts: both,
    omega: (size) => biased.alpha(size) * unbiased.omega(size),
    maxByteLength: (size) => frames.maxByteLength(2, biased.maxByteLength(size) + unbiased.maxByteLength(size)),
    encode(vector, key, message) {
      const size = vector.length, rest = partOf(size);
      return frames.encode(message, 2, (i) => both[i]!.maxByteLength(size), (i, part) => {
        if (i === 1) return unbiased.encode(rest, fold(key, 1), part);
        const length = biased.encode(vector, fold(key, 0), part);
        rest.set(vector);
        biased.decodeAdd(part.subarray(0, length), fold(key, 0), -1, rest);
        clampVector(rest);
        return length;
      });
    },
    decodeAdd(message, key, scale, into) {
      const size = into.length, sum = partOf(size).fill(0);
      frames.decode(message, 2, (i) => both[i]!.maxByteLength(size), (i, part) => {
        both[i]!.decodeAdd(part, fold(key, i), 1, sum);
      });
      addClamped(sum, 1, scale, into);
    },
  };
}
