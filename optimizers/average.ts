import { compress, type Compressor, isUnbiased } from "../compressors/compressor.ts";
import { identity } from "../compressors/identity.ts";
import { allGather } from "../transport/round.ts";
import type { Reducer } from "./reducer.ts";

/**
 * Distributed compressed gradient descent: the mean of the ranks' compressed gradients, g ← (1/n) Σ C(gᵢ).
 *
 * Step size with an unbiased compressor: γ ≤ 1/(L + 2 ω Lmax / n); converges to a neighbourhood of the optimum, to the
 * optimum itself where all ∇fᵢ(x*) = 0. A contractive compressor is sound for one rank only, with γ ≤ 1/L (compressed
 * gradient descent, arXiv:2010.03246, section 1); several ranks want `errorFeedback`. Memory: none. Messages per step: one all-gather. Source: Khirirat, Feyzmahdavian,
 * Johansson, "Distributed learning with compressed gradients", arXiv:1806.06573; Alistarh et al., arXiv:1610.02132.
 *
 * @example
 * ```ts
 * import { average, context, workspace } from "@gradwire/tfjs/optimizers";
 * import { runTogether } from "@gradwire/tfjs/transport";
 * const reducer = average(), state = reducer.init({ names: ["w"], shapes: [[2]], size: 2 });
 * const gradients = [Float32Array.of(1, 3), Float32Array.of(3, 5)];
 * runTogether(gradients.map((gradient, rank) =>
 *   reducer.reduce(gradient, state, context({ seed: 1, step: 0, rank, size: 2, workspace: workspace() }))
 * ));
 * console.assert(gradients.every((gradient) => gradient.join() === "2,4"));
 * ```
 */
export function average(compressor: Compressor = identity()): Reducer {
  return {
    name: "average",
    options: { compressor },
    stepSize: ({ size, ranks, smoothness, largestSmoothness }) =>
      1 / (smoothness + (isUnbiased(compressor) ? 2 * compressor.omega(size) * largestSmoothness / ranks : 0)),
    init: () => ({ local: {}, shared: {} }),
    *reduce(gradient, _state, { rank, size, keyOf, workspace }) {
      const buffer = workspace.bytes("message", compressor.maxByteLength(gradient.length));
      const messages = yield* allGather(compress(compressor, gradient, keyOf(rank), buffer));
      gradient.fill(0);
      messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, gradient));
    },
  };
}
