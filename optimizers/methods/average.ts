import { requireCompressor } from "../../compressors/check.ts";
import { type Compressor, isContractive, isLinear, isUnbiased } from "../../compressors/compressor.ts";
import { identity } from "../../compressors/identity.ts";
import type { Context, Exchange, Method } from "./method.ts";
import { compressFinite, requireFinite } from "./parts/finite.ts";
import { encode, gatherMean, reduceMean } from "./parts/mean.ts";

/**
 * Distributed compressed gradient descent: the mean of the ranks' compressed gradients.
 *
 * ```text
 * send C(gᵢ)                  gᵢ: the gradient of rank i of n
 * g ← (1/n) Σ C(gᵢ)           x ← x − γ g
 * ```
 *
 * - Compressor: an unbiased one, with E‖C(x) − x‖² ≤ ω ‖x‖². A contractive one, such as `topK`, is sound for one rank
 *   only: for several take `errorFeedback`. Messages that may be summed (`identity`, `randK({ shared: true })`) are.
 * - Memory: none. Messages per step: one all-gather; or one all-reduce of messages that may be summed.
 * - Step size, for f of smoothness L and fᵢ of smoothness at most Lmax: γ ≤ 1 / (L + 2 ω Lmax / n). Where messages are
 *   summed γ ≤ 1 / (L (1 + ω)), for all ranks draw the same noise. With a contractive compressor γ ≤ 1/L on one rank,
 *   and none (NaN) on several. Converges to a neighbourhood of the optimum; to the optimum itself where all ∇fᵢ vanish
 *   there, or where messages are summed, or with one rank.
 * - Source: Khirirat, Feyzmahdavian, Johansson, arXiv:1806.06573; Alistarh et al., arXiv:1610.02132;
 *   arXiv:2010.03246, section 1.
 * - Choose it uncompressed as the yardstick, or with a fine unbiased compressor when no memory is wanted.
 *
 * @param compressor default `identity()`: no compression
 * @throws {TypeError} if it is no compressor
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
    *reduce(gradient, _state, context) {
      if (isLinear(compressor)) yield* reduceSummable(compressor, gradient, context);
      else yield* gatherMean("average", encode(compressor, gradient, context), context, gradient);
      requireFinite("average", "the mean", gradient);
    },
  };
}

/** gradient := the mean of C(gᵢ) for a compressor whose messages are float32 numbers that may be summed. */
function* reduceSummable(compressor: Compressor, gradient: Float32Array, context: Context): Exchange {
  const { size, shared, workspace } = context;
  const buffer = workspace.bytes("message", compressor.maxByteLength(gradient.length));
  const message = compressFinite(compressor, gradient, shared, buffer), sent = message ?? buffer;
  const numbers = new Float32Array(sent.buffer, sent.byteOffset, sent.length / 4);
  // A sum with a NaN in it tells all ranks that one of them has a gradient that is not finite.
  if (!message) numbers.fill(NaN);
  yield* reduceMean("average", "the mean", numbers, size);
  gradient.fill(0);
  compressor.decodeAdd(sent, shared, 1, gradient);
}
