import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { largest } from "../../../compressors/kernels/sums.ts";
import { allGatherMeanwhile } from "../../../transport/round.ts";
import { checkInteger, checkOptions } from "../../../options.ts";
import { requireContractive } from "../../../compressors/check.ts";
import { compressAndKeep, gatherFinite, requireFinite } from "../parts/finite.ts";
import { isStill, rateRatio } from "../parts/rate.ts";
import type { Method } from "../method.ts";
import { addScaled, scale } from "../parts/vector.ts";

/** State of {@linkcode errorFeedback}. */
export type ErrorFeedbackState = {
  /**
   * What has not been sent yet, in units of the gradient. With a delay: room for the message that goes out next, and how many
   * bytes it has; one more than the room means that it could not be made, for its numbers were not finite.
   */
  readonly local: { readonly error: Float32Array; readonly outbox: Uint8Array; readonly length: Float64Array };
  /**
   * The learning rate of the step before (0: none yet). With a delay: the step whose message is in the outbox, counted from
   * 1 (0: none yet), and the means that have arrived and wait.
   */
  readonly shared: { readonly rate: Float64Array; readonly sent: Float64Array; readonly pending: Float32Array };
};

/** Options of {@linkcode errorFeedback}. */
export interface ErrorFeedbackOptions {
  /**
   * τ: a step applies what was compressed τ steps before; the first τ steps apply nothing. With τ = 1 a step's message
   * is exchanged while the next gradient is evaluated (where the group can: `tcp`, and all awaited ones), and only what
   * that leaves is waited for; more only wait longer. Costs the room of a message and τ − 1 vectors, and a step size
   * smaller by about 1 + τ. Default 0.
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
 * const layout = { names: ["w"], shapes: [[2]], size: 2 };
 * const method = errorFeedback(identity()), gradients = [Float32Array.of(1, 3), Float32Array.of(3, 5)];
 * const states = gradients.map(() => method.init(layout));
 * runTogether(gradients.map((gradient, rank) =>
 *   method.reduce(gradient, states[rank]!, context({ seed: 1, step: 0, rank, size: 2, layout, workspace: workspace() }))
 * ));
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
    // With a delay, who was sampled when a message was made is not who is when it is sent.
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
      : { ahead: arrive(compressor), reduce: reduceLater(compressor, delay) },
  };
}

type Delayed = Method<ErrorFeedbackState>;

const reduceNow = (compressor: ContractiveCompressor): Delayed["reduce"] =>
  function* (gradient, { local: { error }, shared: { rate } }, { rank, size, keyOf, workspace, learningRate }) {
    addScaled(gradient, rateRatio(rate, learningRate), error);
    const most = compressor.maxByteLength(gradient.length), buffer = workspace.bytes("message", most);
    const message = compressAndKeep(compressor, gradient, keyOf(rank), buffer);
    const messages = yield* gatherFinite("errorFeedback", message, most, workspace);
    // Apart from the gradient, which now is what the message leaves out.
    const mean = workspace.floats("mean", gradient.length).fill(0);
    messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, mean));
    requireFinite("errorFeedback", "the mean", mean);
    // A still step applies nothing of what is sent: then nothing is taken from what is kept either.
    if (!isStill(learningRate)) error.set(gradient), rate[0] = learningRate ?? 1;
    gradient.set(mean);
  };

/** The exchange of what the step before has left in the outbox; its mean goes to the workspace. */
const arrive = (compressor: ContractiveCompressor): NonNullable<Delayed["ahead"]> =>
  function* ({ local: { error, outbox, length }, shared: { sent } }, { size, keysAt, workspace }) {
    const arrived = workspace.floats("arrived", error.length).fill(0);
    if (sent[0] === 0) return; // nothing is on its way yet
    const { keyOf } = keysAt(sent[0]! - 1), most = outbox.length;
    const message = length[0]! > most ? undefined : outbox.subarray(0, length[0]);
    const messages = yield* gatherFinite("errorFeedback", message, most, workspace, allGatherMeanwhile);
    messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, arrived));
  };

const reduceLater = (compressor: ContractiveCompressor, delay: number): Delayed["reduce"] =>
  function* (gradient, state, context) {
    const { local: { error, outbox, length }, shared: { rate, sent, pending } } = state;
    const { step, rank, keyOf, workspace, learningRate, early } = context, size = gradient.length;
    if (!early) yield* arrive(compressor)(state, context);
    if (isStill(learningRate)) {
      gradient.fill(0); // nothing is applied, so everything stays on its way
      return;
    }
    const arrived = workspace.floats("arrived", size), ratio = rateRatio(rate, learningRate);
    if (ratio !== 1) scale(arrived, ratio);
    requireFinite("errorFeedback", "what arrives", arrived);
    if (!Number.isFinite(Math.fround(ratio * largest(pending)))) {
      throw new RangeError(
        `Cannot take the step of errorFeedback: what waits is beyond the largest float32 once it is scaled by the ratio of ` +
          `learning rates, ${ratio}; expected one that does not fall so far at once`,
      );
    }
    addScaled(gradient, ratio, error);
    const buffer = workspace.bytes("message", outbox.length);
    const message = compressAndKeep(compressor, gradient, keyOf(rank), buffer);
    // The round of this step is over: what is not finite is refused, by all ranks, when it would be sent.
    if (message) error.set(gradient), outbox.set(message);
    length[0] = message?.length ?? outbox.length + 1;
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
