import { requireCompressor } from "../../compressors/check.ts";
import { type Compressor, isContractive, isLinear, isUnbiased } from "../../compressors/compressor.ts";
import { identity } from "../../compressors/identity.ts";
import { allReduce } from "../../transport/round.ts";
import { compressFinite, gatherFinite, requireFinite } from "./parts/finite.ts";
import type { Method } from "./method.ts";
import { scale } from "./parts/vector.ts";

/**
 * Distributed compressed gradient descent: the mean of the ranks' compressed gradients.
 *
 * ```text
 * send C(gᵢ)
 * g ← (1/n) Σ C(gᵢ)          x ← x − γ g
 * ```
 *
 * - Compressor: any that is unbiased. If its messages may be summed (`identity`, `randK({ shared: true })`), one
 *   all-reduce of the short vector. A contractive one is sound for one rank only (compressed gradient descent): several
 *   ranks want `errorFeedback`.
 * - Memory: none. Messages per step: one all-gather, or one all-reduce.
 * - Step size: γ ≤ 1 / (L + 2 ω Lmax / n); γ ≤ 1 / (L (1 + ω)) where messages are summed, for their noise is common to
 *   the ranks; γ ≤ 1/L with one rank and a contractive compressor, and none (NaN) with several. Converges to a neighbourhood of the optimum; to the
 *   optimum itself where all ∇fᵢ vanish there, or where messages are summed, or with one rank.
 * - Source: Khirirat, Feyzmahdavian, Johansson, arXiv:1806.06573; Alistarh et al., arXiv:1610.02132;
 *   arXiv:2010.03246, section 1.
 * - Choose it uncompressed as the yardstick, or with a fine unbiased compressor when no memory is wanted.
 *
 * @example
 * ```ts
 * import { average, context, workspace } from "@gradwire/tfjs/optimizers";
 * import { runTogether } from "@gradwire/tfjs/transport";
 * const layout = { names: ["w"], shapes: [[2]], size: 2 }, method = average(), state = method.init(layout);
 * const gradients = [Float32Array.of(1, 3), Float32Array.of(3, 5)];
 * runTogether(gradients.map((gradient, rank) =>
 *   method.reduce(gradient, state, context({ seed: 1, step: 0, rank, size: 2, layout, workspace: workspace() }))
 * ));
 * console.assert(gradients.every((gradient) => gradient.join() === "2,4"));
 * ```
 */
export function average(compressor: Compressor = identity()): Method {
  requireCompressor("make average", compressor);
  return {
    name: "average",
    options: { compressor },
    sampled: true,
    identityAlone: compressor.lossless ?? false,
    stepSize({ size, ranks, smoothness, largestSmoothness }) {
      if (isUnbiased(compressor)) {
        const omega = compressor.omega(size), common = isLinear(compressor);
        return 1 / (common ? (1 + omega) * smoothness : smoothness + 2 * omega * largestSmoothness / ranks);
      }
      return isContractive(compressor) && (ranks === 1 || isLinear(compressor)) ? 1 / smoothness : NaN;
    },
    init: () => ({ local: {}, shared: {} }),
    *reduce(gradient, _state, { rank, size, shared, keyOf, workspace }) {
      const most = compressor.maxByteLength(gradient.length), buffer = workspace.bytes("message", most);
      const message = compressFinite(compressor, gradient, isLinear(compressor) ? shared : keyOf(rank), buffer);
      if (isLinear(compressor)) {
        const numbers = new Float32Array(buffer.buffer, buffer.byteOffset, (message ?? buffer).length / 4);
        // Scaled before they are added, so that the sum is finite where the mean is. NaN tells all ranks.
        if (message) scale(numbers, 1 / size);
        else numbers.fill(NaN);
        yield* allReduce(numbers);
        requireFinite("average", "the mean", numbers);
        gradient.fill(0);
        compressor.decodeAdd(buffer.subarray(0, numbers.byteLength), shared, 1, gradient);
      } else {
        const messages = yield* gatherFinite("average", message, most, workspace);
        gradient.fill(0);
        messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, gradient));
      }
      requireFinite("average", "the mean", gradient);
    },
  };
}
