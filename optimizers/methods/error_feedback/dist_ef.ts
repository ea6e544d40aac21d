import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { scaledSign } from "../../../compressors/quantizers/scaled_sign.ts";
import { checkBoolean, checkNumber, checkOptions } from "../../../options.ts";
import { requireContractive } from "../../../compressors/check.ts";
import type { Method, State } from "../method.ts";
import { type BidirectionalState, bidirectionalState, compressBothWays, stripeAlpha } from "./bidirectional.ts";

/** Options of {@linkcode distEf}. */
export interface DistEfOptions {
  /** μ. Default 0.9. Unless it is 0, the inner optimizer must be plain gradient descent. */
  readonly momentum?: number;
  /** Whether the momentum is Nesterov's (default) or, if false, the heavy ball. */
  readonly nesterov?: boolean;
}

/**
 * dist-EF-SGD with momentum and block-wise scaled signs: error feedback both ways, one bit a number each way. There is
 * no server: each rank serves a stripe.
 *
 * ```text
 * mᵢ ← μ mᵢ + gᵢ                        gᵢ: the gradient of rank i of n
 * pᵢ = μ mᵢ + gᵢ + (γ₋/γ) eᵢ            heavy ball: mᵢ + (γ₋/γ) eᵢ
 *                                       eᵢ: the rank's error; γ₋: the learning rate of the step before
 * send C(pᵢ), stripe by stripe;  eᵢ ← pᵢ − C(pᵢ)
 * s = (1/n) Σ C(pᵢ) + (γ₋/γ) e;  send C(s);  e ← s − C(s)         each stripe on the rank that serves it
 * g ← C(s)                              x ← x − γ g
 * ```
 *
 * The momentum is inside the estimate: use it with `tf.train.sgd`, or momentum is applied twice.
 *
 * - Compressor: contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α < 1. Default `scaledSign({ block: 4096 })`, about 32 times
 *   fewer bytes.
 * - Memory: (2 + 1/n) vectors a rank. Messages per step: one all-to-all and one all-gather.
 * - Step size: that of SGD with momentum, decayed as 1/√T over T steps. In theory, for fᵢ of smoothness at most Lmax,
 *   γ ≤ (1 − μ) / (Lmax (20/δ² + 2 μ / (1 − μ))), δ = 1 − α on the stripe where α is largest.
 * - Why: as for `doubleSqueeze`, with the step γ / (1 − μ) that a gradient takes in all. The part of it that the
 *   momentum still holds adds at most μ / (1 − μ) |g| to the (8/δ²) |g| of the errors.
 * - Source: Zheng, Huang, Kwok, arXiv:1905.10936.
 * - Choose it for neural networks trained with momentum SGD where one bit a number is few enough.
 *
 * @throws {TypeError} if the compressor is not contractive
 * @throws {RangeError} unless 0 ≤ momentum < 1
 *
 * @example
 * ```ts
 * import { distEf, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * console.assert(minimise(problem, distEf(), { rounds: 2000, step: .005, error: 1e-2 }).reached);
 * ```
 */
export function distEf(
  compressor: ContractiveCompressor = scaledSign({ block: 4096 }),
  options: DistEfOptions = {},
): Method {
  requireContractive("make distEf", compressor);
  const { momentum = .9, nesterov = true } = checkOptions("make distEf", options, ["momentum", "nesterov"]);
  checkBoolean("make distEf", "nesterov", nesterov);
  checkNumber("make distEf", "momentum", momentum, { least: 0, below: 1 });
  return {
    name: "distEf",
    options: { compressor, momentum, nesterov },
    stepSize: ({ size, ranks, largestSmoothness }) =>
      (1 - momentum) /
      (largestSmoothness * (20 / (1 - stripeAlpha(compressor, size, ranks)) ** 2 + 2 * momentum / (1 - momentum))),
    init({ size }, ranks = 1): State {
      const { local, shared } = bidirectionalState(size, ranks);
      return { local: { ...local, momentum: new Float32Array(size) }, shared };
    },
    *reduce(gradient, state, context) {
      const own = context.workspace.floats("gradient", gradient.length), m = state.local.momentum!;
      own.set(gradient);
      for (let j = 0; j < m.length; j++) {
        const next = Math.fround(momentum * m[j]! + own[j]!);
        gradient[j] = nesterov ? momentum * next + own[j]! : next;
      }
      yield* compressBothWays(gradient, state as BidirectionalState, context, {
        name: "distEf",
        compressorOf: () => compressor,
        learningRate: context.learningRate,
      });
      for (let j = 0; j < m.length; j++) m[j] = momentum * m[j]! + own[j]!;
    },
  };
}
