import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { requireContractive } from "../../../compressors/check.ts";
import type { Method } from "../method.ts";
import { bothWays, stripeAlpha, type TwoWayState, twoWayState } from "./bidirectional.ts";

/** State of {@linkcode doubleSqueeze}: the error of each rank and that of its stripe, and the learning rate before. */
export type DoubleSqueezeState = TwoWayState;

/**
 * DoubleSqueeze: error feedback on the way to the server and on the way back. There is no server: each rank serves a
 * stripe of the parameters, so that the bytes a rank sends and receives do not grow with the number of ranks.
 *
 * ```text
 * vᵢ = gᵢ + eᵢ;  send C(vᵢ), stripe by stripe;  eᵢ ← vᵢ − C(vᵢ)
 * s = (1/n) Σ C(vᵢ) + e;  send C(s);  e ← s − C(s)      each stripe on the rank that serves it
 * g ← C(s)                                              x ← x − γ g
 * ```
 *
 * Errors are scaled by the ratio of learning rates when it changes, as in `errorFeedback`.
 *
 * - Compressor: contractive; it is given stripes of d/n numbers, so give top-k a ratio rather than a count.
 * - Memory: (1 + 1/n) vectors a rank. Messages per step: one all-to-all and one all-gather.
 * - Step size: γ ≤ δ² / (20 Lmax), δ = 1 − α on the stripe where α is largest. Ends in an O(γ²) neighbourhood with
 *   heterogeneous data.
 * - Why: x − γ (the mean of eᵢ + e) moves by −γ ∇f(x). In root mean square a contractive C leaves |v − C(v)| ≤ √α |v|, so
 *   that |eᵢ| ≤ √α / (1 − √α) |g|, |C(vᵢ)| ≤ (1 + √α) / (1 − √α) |g|, and both errors together are at most
 *   2 √α / (1 − √α)² |g| ≤ (8/δ²) |g|. The distance of the point that moves so from the optimum falls while
 *   γ Lmax (1 + 2 · 8/δ²) < 1; 20 leaves a margin for how fast it falls and for data that differ.
 * - Source: Tang, Lian, Yu, Zhang, Liu, arXiv:1905.05957.
 * - Choose it instead of `errorFeedback` with many ranks: all-gather's bytes received grow with n, these do not.
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
    init: ({ size }, ranks = 1) => twoWayState(size, ranks),
    *reduce(gradient, state, context) {
      yield* bothWays("doubleSqueeze", gradient, state, () => compressor, context, context.learningRate);
    },
  };
}
