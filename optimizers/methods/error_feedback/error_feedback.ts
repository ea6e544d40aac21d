import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { requireContractive } from "../../../compressors/check.ts";
import { largest } from "../../../compressors/kernels/sums.ts";
import { checkInteger, checkOptions } from "../../../options.ts";
import { allGatherMeanwhile } from "../../../transport/round.ts";
import type { Method } from "../method.ts";
import { requireFinite } from "../parts/finite.ts";
import { addOwn, encode, gatherMean } from "../parts/mean.ts";
import { isStill, rateRatio } from "../parts/rate.ts";
import { addScaled, scale } from "../parts/vector.ts";

/** State of {@linkcode errorFeedback}. */
export type ErrorFeedbackState = {
  /**
   * `error`: what has not been sent yet, in units of the gradient. With a delay also `outbox`: room for the message
   * that goes out next, and `length`: how many bytes it has. One more than there is room for means that the message
   * could not be made, for its numbers were not finite.
   */
  readonly local: { readonly error: Float32Array; readonly outbox: Uint8Array; readonly length: Float64Array };
  /**
   * `rate`: the learning rate of the step before (0: none yet). With a delay also `sent`: the step whose message is in
   * the outbox, counted from 1 (0: none yet), and `pending`: the means that have arrived and wait to be applied.
   */
  readonly shared: { readonly rate: Float64Array; readonly sent: Float64Array; readonly pending: Float32Array };
};

/** Options of {@linkcode errorFeedback}. */
export interface ErrorFeedbackOptions {
  /**
   * τ: a step applies what was compressed τ steps before; the first τ steps apply nothing. With τ = 1 a step's message
   * is exchanged while the next gradient is evaluated, in groups that can do so (`tcp`, and all awaited groups), and a
   * step only waits for what is left of the exchange. A larger τ only waits longer. A delay costs memory for one
   * message and τ − 1 vectors, and a step size smaller by about 1 + τ. Default 0.
   */
  readonly delay?: number;
}

/**
 * Error feedback (EF14, EF-SGD, memory): what a message leaves out is kept and added to the next gradient.
 *
 * ```text
 * vᵢ = gᵢ + (γ₋/γ) eᵢ        gᵢ: the gradient of rank i; eᵢ: its error; γ₋: the learning rate of the step before
 * send cᵢ = C(vᵢ)
 * eᵢ ← vᵢ − cᵢ               keep what was not sent
 * g ← (1/n) Σ cᵢ             x ← x − γ g
 * ```
 *
 * The ratio keeps an old error worth what it was when the learning rate changes (read from `context.learningRate`).
 *
 * - Compressor: contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α < 1.
 * - Memory: one vector a rank. Messages per step: one all-gather.
 * - Step size, for fᵢ of smoothness at most Lmax: γ ≤ δ / (20 Lmax), δ = 1 − α. Where the ranks' data differ and γ is
 *   constant it ends in an O(γ²) neighbourhood of the optimum (`ef21` does not).
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
 * const layout = { names: ["w"], shapes: [[2]], size: 2 };
 * const method = errorFeedback(identity()), gradients = [Float32Array.of(1, 3), Float32Array.of(3, 5)];
 * const states = gradients.map(() => method.init(layout));
 * runTogether(gradients.map((gradient, rank) => {
 *   const now = context({ seed: 1, step: 0, rank, size: 2, layout, workspace: workspace() });
 *   return method.reduce(gradient, states[rank]!, now);
 * }));
 * console.assert(gradients.every((gradient) => gradient.join() === "2,4"));
 * ```
 */
export function errorFeedback(
  compressor: ContractiveCompressor,
  options: ErrorFeedbackOptions = {},
): Method<ErrorFeedbackState> {
  requireContractive("make errorFeedback", compressor);
  const { delay = 0 } = checkOptions("make errorFeedback", options, ["delay"]);
  checkInteger("make errorFeedback", "delay", delay, 0);
  return {
    name: "errorFeedback",
    // With a delay, the ranks that were sampled when a message was made are not those that are when it is sent.
    sampled: delay === 0,
    options: { compressor, delay },
    stepSize: ({ size, largestSmoothness }) => (1 - compressor.alpha(size)) / (20 * largestSmoothness * (1 + delay)),
    init: ({ size }) => ({
      local: {
        error: new Float32Array(size),
        outbox: new Uint8Array(delay > 0 ? compressor.maxByteLength(size) : 0),
        length: new Float64Array(1),
      },
      shared: {
        rate: new Float64Array(1),
        sent: new Float64Array(1),
        pending: new Float32Array(Math.max(0, delay - 1) * size),
      },
    }),
    ...delay === 0
      ? { reduce: reduceNow(compressor) }
      : { ahead: receive(compressor), reduce: reduceLater(compressor, delay) },
  };
}

type ErrorFeedback = Method<ErrorFeedbackState>;

const reduceNow = (compressor: ContractiveCompressor): ErrorFeedback["reduce"] =>
  function* (gradient, { local: { error }, shared: { rate } }, context) {
    const { rank, workspace, learningRate } = context, mean = workspace.floats("mean", gradient.length);
    addScaled(gradient, rateRatio(rate, learningRate), error);
    // The gradient becomes what the message leaves out.
    const message = addOwn(encode(compressor, gradient, context), rank, -1, gradient);
    yield* gatherMean("errorFeedback", message, context, mean);
    requireFinite("errorFeedback", "the mean", mean);
    // A still step applies nothing of what is sent: then nothing is taken from what is kept either.
    if (!isStill(learningRate)) error.set(gradient), rate[0] = learningRate ?? 1;
    gradient.set(mean);
  };

/** Exchanges the messages that the step before has left in the outboxes. Their mean goes to the workspace. */
const receive = (compressor: ContractiveCompressor): NonNullable<ErrorFeedback["ahead"]> =>
  function* ({ local: { error, outbox, length }, shared: { sent } }, context) {
    const arrived = context.workspace.floats("arrived", error.length), most = outbox.length;
    if (sent[0] === 0) return void arrived.fill(0); // nothing is on its way yet
    const bytes = length[0]! > most ? undefined : outbox.subarray(0, length[0]);
    const { keyOf } = context.keysAt(sent[0]! - 1), message = { compressor, keyOf, most, bytes };
    yield* gatherMean("errorFeedback", message, context, arrived, { gather: allGatherMeanwhile });
  };

const reduceLater = (compressor: ContractiveCompressor, delay: number): ErrorFeedback["reduce"] =>
  function* (gradient, state, context) {
    const { local: { error, outbox, length }, shared: { rate, sent, pending } } = state;
    const { step, rank, workspace, learningRate, early } = context, size = gradient.length;
    if (!early) yield* receive(compressor)(state, context);
    if (isStill(learningRate)) {
      gradient.fill(0); // nothing is applied, so everything stays on its way
      return;
    }
    const arrived = workspace.floats("arrived", size), ratio = rateRatio(rate, learningRate);
    if (ratio !== 1) scale(arrived, ratio);
    requireFinite("errorFeedback", "what arrives", arrived);
    if (!Number.isFinite(Math.fround(ratio * largest(pending)))) {
      throw new RangeError(
        `Cannot take the step of errorFeedback: what waits is beyond the largest float32 once it is scaled by the ` +
          `ratio of learning rates, ${ratio}; expected one that does not fall so far at once`,
      );
    }
    addScaled(gradient, ratio, error);
    const { bytes } = addOwn(encode(compressor, gradient, context), rank, -1, gradient);
    // The round of this step is over. A message that could not be made is refused, by all ranks, when it would be sent.
    if (bytes) error.set(gradient), outbox.set(bytes);
    length[0] = bytes?.length ?? outbox.length + 1;
    sent[0] = step + 1;
    rate[0] = learningRate ?? 1;
    gradient.set(arrived);
    if (ratio !== 1) scale(pending, ratio);
    if (delay > 1) {
      const slot = step % (delay - 1);
      swap(gradient, pending.subarray(slot * size, (slot + 1) * size));
    }
  };

/** Exchanges the contents of two vectors. */
function swap(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    const old = x[i]!;
    x[i] = y[i]!, y[i] = old;
  }
}
