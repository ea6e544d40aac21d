import type { ContractiveCompressor } from "../compressor.ts";
import { scaledSign } from "../quantizers/scaled_sign.ts";
import { type Count, countOf } from "../sparsifiers/count.ts";
import { topK } from "../sparsifiers/top_k.ts";
import { compose } from "./compose.ts";

/**
 * SignTop-k: each of the k numbers of largest magnitude becomes its sign times their mean magnitude, which is
 * `compose(scaledSign(), topK(…))`; the others become 0.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw, with α = 1 − min(1/k, k/d) for d numbers, which a vector with one
 *   number that is not 0 or one of equal numbers reaches; the paper has 1 − 1/d. With S the indices of the k numbers the error
 *   is ‖x‖² − ‖x_S‖₁² / k.
 * - Message: the indices, one float32 and k signs.
 * - Source: Basu, Data, Karakus, Diggavi: "Qsparse-local-SGD", arXiv:1906.02367.
 * - Choose it in place of `topK` where positions already take more bits than values.
 *
 * @throws {TypeError | RangeError} see {@linkcode topK}
 *
 * @example
 * ```ts
 * import { compress, decompress, key, signTopK } from "@gradwire/tfjs";
 * const message = compress(signTopK({ k: 2 }), Float32Array.of(1, -2, 3, -4), key(1));
 * console.assert(decompress(signTopK({ k: 2 }), message, key(1), 4).join() === "0,0,3.5,-3.5");
 * ```
 */
export function signTopK(count: Count): ContractiveCompressor {
  countOf("signTopK", count);
  const sparsifier = topK(count), { parts: _, ...compressor } = compose(scaledSign(), sparsifier);
  return {
    ...compressor,
    name: "signTopK",
    options: { ...count },
    alpha(size) {
      const k = sparsifier.kept(size);
      // Let b be the least magnitude kept. ‖x_S‖₁² / (k ‖x‖²) is least where all numbers kept but one, and all that are left out,
      // have the magnitude b as well; and among such vectors at one end of the range of b: 0, or the magnitude of that one.
      return size === 0 ? 0 : 1 - Math.min(1 / k, k / size);
    },
  };
}
