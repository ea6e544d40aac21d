import type { ContractiveCompressor } from "../compressor.ts";
import { scaledSign } from "../quantizers/scaled_sign.ts";
import { type Count, countOf } from "../sparsifiers/count.ts";
import { topK } from "../sparsifiers/top_k.ts";
import { compose } from "./compose.ts";

/**
 * SignTop-k: the signs of the k numbers of largest magnitude, and their mean magnitude: `compose(scaledSign(), topK(…))`. The
 * error is ‖x‖² − ‖x_S‖₁² / k, so α = 1 − min(1/k, k/d) for every draw, attained by a one-hot or by an all-equal vector.
 * (The paper has 1 − 1/d.) 32 + k bits and the indices.
 *
 * Source: Basu, Data, Karakus, Diggavi: "Qsparse-local-SGD", arXiv:1906.02367.
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
      // With b the least of what is kept: ‖x_S‖₁² / k ‖x‖² is least where the others kept but one are b as well, and what is
      // left out; and there, as a function of b, at one of its ends.
      return size === 0 ? 0 : 1 - Math.min(1 / k, k / size);
    },
  };
}
