import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { requireContractive } from "../../../compressors/check.ts";
import type { Method } from "../method.ts";
import { type BidirectionalState, bidirectionalState, compressBothWays, stripeAlpha } from "./bidirectional.ts";

/** State of {@linkcode doubleSqueeze}. */
export type DoubleSqueezeState = BidirectionalState;

/**
 * DoubleSqueeze: error feedback on the way to the server and on the way back. There is no server: each rank serves a
 * stripe of the parameters, so that the bytes a rank sends and receives do not grow with the number of ranks.
 *
 * ```text
 * vᵢ = gᵢ + eᵢ;  send C(vᵢ), stripe by stripe;  eᵢ ← vᵢ − C(vᵢ)      gᵢ: the gradient of rank i of n; eᵢ: its error
 * s = (1/n) Σ C(vᵢ) + e;  send C(s);  e ← s − C(s)                    each stripe on the rank that serves it
 * g ← C(s)                                                            x ← x − γ g
 * ```
 *
 * When the learning rate changes, errors are scaled by the ratio of the old one to the new one, as in `errorFeedback`.
 *
 * - Compressor: contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α < 1. It is given stripes of d/n of the d numbers: give top-k
 *   a ratio rather than a count.
 * - Memory: (1 + 1/n) vectors a rank. Messages per step: one all-to-all and one all-gather.
 * - Step size, for fᵢ of smoothness at most Lmax: γ ≤ δ² / (20 Lmax), δ = 1 − α on the stripe where α is largest. Where
 *   the ranks' data differ it ends in an O(γ²) neighbourhood of the optimum.
 * - Why: the point x − γ (the mean of eᵢ, plus e) moves by −γ ∇f(x). In root mean square a contractive C leaves at most
 *   |v − C(v)| = √α |v|. So |eᵢ| ≤ √α / (1 − √α) |g| and |C(vᵢ)| ≤ (1 + √α) / (1 − √α) |g|, and both errors together
 *   are at most 2 √α / (1 − √α)² |g| ≤ (8/δ²) |g|. The distance from that point to the optimum falls while
 *   γ Lmax (1 + 2 · 8/δ²) < 1; 20 leaves a margin for how fast it falls and for data that differ.
 * - Source: Tang, Lian, Yu, Zhang, Liu, arXiv:1905.05957.
 * - Choose it instead of `errorFeedback` with many ranks: the bytes that a rank receives do not grow with n.
 *
 * @throws {TypeError} if the compressor is not contractive
 *
 * @example
 * ```ts
 * import { doubleSqueeze, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * console.assert(minimise(problem, doubleSqueeze(identity()), { rounds: 500, error: 1e-6 }).reached);
 * ```
 */
export function doubleSqueeze(compressor: ContractiveCompressor): Method<DoubleSqueezeState> {
  requireContractive("make doubleSqueeze", compressor);
  return {
    name: "doubleSqueeze",
    options: { compressor },
    stepSize: ({ size, ranks, largestSmoothness }) =>
      (1 - stripeAlpha(compressor, size, ranks)) ** 2 / (20 * largestSmoothness),
    init: ({ size }, ranks = 1) => bidirectionalState(size, ranks),
    reduce: (gradient, state, context) =>
      compressBothWays(gradient, state, context, {
        name: "doubleSqueeze",
        compressorOf: () => compressor,
        learningRate: context.learningRate,
      }),
  };
}
