import { compress, type ContractiveCompressor } from "../compressors/compressor.ts";
import { allGather } from "../transport/round.ts";
import { requireContractive, requireInteger } from "./check.ts";
import type { Reducer } from "./reducer.ts";
import { addScaled, scale } from "./vector.ts";

/** State of {@linkcode errorFeedback}. */
export type ErrorFeedbackState = {
  /** What has not been sent yet, in units of the gradient. */
  readonly local: { readonly error: Float32Array };
  /** The learning rate of the step before (0: none yet), and with a delay the means on their way. */
  readonly shared: { readonly rate: Float32Array; readonly pending: Float32Array };
};

/** Options of {@linkcode errorFeedback}. */
export interface ErrorFeedbackOptions {
  /**
   * τ: a step applies what was sent τ steps before, so that nothing waits for this step's messages; the first τ steps
   * apply nothing. Costs τ more vectors of memory and a step size smaller by about 1 + τ. Default 0.
   */
  readonly delay?: number;
}

/**
 * Error feedback (EF14, EF-SGD, memory): what a message leaves out is kept and added to the next gradient.
 *
 * ```text
 * vᵢ = gᵢ + (γ₋/γ) eᵢ        compensate; γ₋ is the learning rate of the step before
 * send cᵢ = C(vᵢ)
 * eᵢ ← vᵢ − cᵢ               keep what was not sent
 * g ← (1/n) Σ cᵢ             x ← x − γ g
 * ```
 *
 * The ratio keeps an old error worth what it was when the learning rate changes (read from `context.learningRate`).
 *
 * - Compressor: contractive.
 * - Memory: one vector a rank. Messages per step: one all-gather.
 * - Step size: γ ≤ δ / (20 Lmax), δ = 1 − α. With heterogeneous data and constant γ it ends in an O(γ²) neighbourhood
 *   of the optimum (`ef21` does not).
 * - Source: Seide et al. 2014; Stich, Cordonnier, Jaggi, arXiv:1809.07599; Karimireddy et al., arXiv:1901.09847;
 *   Stich, Karimireddy, arXiv:1909.05350.
 * - Choose it first for neural networks: any contractive compressor, stochastic gradients, any inner optimizer.
 *
 * @throws {TypeError} if the compressor is not contractive
 * @throws {RangeError} if the delay is not an integer ≥ 0
 *
 * @example
 * ```ts
 * import { context, errorFeedback, workspace } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * import { runTogether } from "@gradwire/tfjs/transport";
 * const reducer = errorFeedback(identity()), gradients = [Float32Array.of(1, 3), Float32Array.of(3, 5)];
 * const states = gradients.map(() => reducer.init({ names: ["w"], shapes: [[2]], size: 2 }));
 * runTogether(gradients.map((gradient, rank) =>
 *   reducer.reduce(gradient, states[rank]!, context({ seed: 1, step: 0, rank, size: 2, workspace: workspace() }))
 * ));
 * console.assert(gradients.every((gradient) => gradient.join() === "2,4"));
 * ```
 */
export function errorFeedback(
  compressor: ContractiveCompressor,
  { delay = 0 }: ErrorFeedbackOptions = {},
): Reducer<ErrorFeedbackState> {
  requireContractive("errorFeedback", compressor);
  requireInteger("errorFeedback", "delay", delay, 0);
  return {
    name: "errorFeedback",
    options: { compressor, delay },
    stepSize: ({ size, largestSmoothness }) => (1 - compressor.alpha(size)) / (20 * largestSmoothness * (1 + delay)),
    init: ({ size }) => ({
      local: { error: new Float32Array(size) },
      shared: { rate: new Float32Array(1), pending: new Float32Array(delay * size) },
    }),
    *reduce(
      gradient,
      { local: { error }, shared: { rate, pending } },
      { step, rank, size, keyOf, workspace, learningRate },
    ) {
      const ratio = rateRatio(rate, learningRate);
      addScaled(gradient, ratio, error);
      const buffer = workspace.bytes("message", compressor.maxByteLength(gradient.length));
      const message = compress(compressor, gradient, keyOf(rank), buffer);
      const messages = yield* allGather(message);
      // A learning rate of 0 applies nothing of what is sent: then nothing is taken from what is kept either.
      const applied = learningRate !== 0;
      if (applied) {
        error.set(gradient);
        compressor.decodeAdd(message, keyOf(rank), -1, error);
        rate[0] = learningRate ?? 1;
      }
      gradient.fill(0);
      messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, gradient));
      if (delay > 0 && applied) {
        if (ratio !== 1) scale(pending, ratio);
        swap(gradient, pending.subarray(step % delay * gradient.length, (step % delay + 1) * gradient.length));
      }
    },
  };
}

/** γ₋/γ, the factor that keeps an error in gradient units worth what it was; 1 where there was no step before. */
export function rateRatio(rate: Float32Array, learningRate = 1): number {
  return rate[0] === 0 || learningRate === 0 ? 1 : rate[0]! / Math.fround(learningRate);
}

/** Exchanges the contents of two vectors. */
function swap(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    const old = x[i]!;
    x[i] = y[i]!, y[i] = old;
  }
}
