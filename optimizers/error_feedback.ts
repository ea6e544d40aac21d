import { compress, type ContractiveCompressor } from "../compressors/compressor.ts";
import { allGather, allGatherMeanwhile } from "../transport/round.ts";
import { checkOptions, requireContractive, requireInteger } from "./check.ts";
import type { Reducer } from "./reducer.ts";
import { addScaled, scale } from "./vector.ts";

/** State of {@linkcode errorFeedback}. */
export type ErrorFeedbackState = {
  /** What has not been sent yet, in units of the gradient; with a delay the message that goes out next, as integers. */
  readonly local: { readonly error: Float32Array; readonly outbox: Float32Array };
  /**
   * The learning rate of the step before (0: none yet). With a delay: the step whose message is in the outbox, counted from
   * 1 (0: none yet), and the means that have arrived and wait.
   */
  readonly shared: { readonly rate: Float32Array; readonly sent: Float32Array; readonly pending: Float32Array };
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
  options: ErrorFeedbackOptions = {},
): Reducer<ErrorFeedbackState> {
  requireContractive("errorFeedback", compressor);
  const { delay = 0 } = checkOptions("errorFeedback", options, ["delay"]);
  requireInteger("errorFeedback", "delay", delay, 0);
  return {
    name: "errorFeedback",
    options: { compressor, delay },
    stepSize: ({ size, largestSmoothness }) => (1 - compressor.alpha(size)) / (20 * largestSmoothness * (1 + delay)),
    init: ({ size }) => ({
      local: { error: new Float32Array(size), outbox: new Float32Array(delay > 0 ? roomFor(compressor, size) : 0) },
      shared: {
        rate: new Float32Array(1),
        sent: new Float32Array(1),
        pending: new Float32Array(Math.max(0, delay - 1) * size),
      },
    }),
    ...delay === 0
      ? { reduce: reduceNow(compressor) }
      : { ahead: arrive(compressor), reduce: reduceLater(compressor, delay) },
  };
}

type Method = Reducer<ErrorFeedbackState>;

const reduceNow = (compressor: ContractiveCompressor): Method["reduce"] =>
  function* (gradient, { local: { error }, shared: { rate } }, { rank, size, keyOf, workspace, learningRate }) {
    addScaled(gradient, rateRatio(rate, learningRate), error);
    const buffer = workspace.bytes("message", compressor.maxByteLength(gradient.length));
    const message = compress(compressor, gradient, keyOf(rank), buffer);
    const messages = yield* allGather(message);
    // Apart from the gradient, so that a message that is refused leaves the memory as it was.
    const mean = workspace.floats("mean", gradient.length).fill(0);
    messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, mean));
    // A learning rate of 0 applies nothing of what is sent: then nothing is taken from what is kept either.
    if (learningRate !== 0) {
      error.set(gradient);
      compressor.decodeAdd(message, keyOf(rank), -1, error);
      rate[0] = learningRate ?? 1;
    }
    gradient.set(mean);
  };

/** The exchange of what the step before has left in the outbox; its mean goes to the workspace. */
const arrive = (compressor: ContractiveCompressor): NonNullable<Method["ahead"]> =>
  function* ({ local: { error, outbox }, shared: { sent } }, { size, keysAt, workspace }) {
    const arrived = workspace.floats("arrived", error.length).fill(0);
    if (sent[0] === 0) return; // nothing is on its way yet
    const { keyOf } = keysAt(sent[0]! - 1);
    const message = unpack(outbox, workspace.bytes("outbox", compressor.maxByteLength(error.length)));
    const messages = yield* allGatherMeanwhile(message);
    messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, arrived));
  };

const reduceLater = (compressor: ContractiveCompressor, delay: number): Method["reduce"] =>
  function* (gradient, state, context) {
    const { local: { error, outbox }, shared: { rate, sent, pending } } = state;
    const { step, rank, keyOf, workspace, learningRate, early } = context, size = gradient.length;
    if (!early) yield* arrive(compressor)(state, context);
    const arrived = workspace.floats("arrived", size);
    if (learningRate === 0) {
      gradient.fill(0); // nothing is applied, so everything stays on its way
      return;
    }
    const ratio = rateRatio(rate, learningRate);
    addScaled(gradient, ratio, error);
    const message = compress(
      compressor,
      gradient,
      keyOf(rank),
      workspace.bytes("message", compressor.maxByteLength(size)),
    );
    error.set(gradient);
    compressor.decodeAdd(message, keyOf(rank), -1, error);
    pack(message, outbox);
    sent[0] = step + 1;
    rate[0] = learningRate ?? 1;
    gradient.set(arrived);
    if (ratio !== 1) scale(gradient, ratio), scale(pending, ratio);
    if (delay > 1) {
      const slot = step % (delay - 1);
      swap(gradient, pending.subarray(slot * size, (slot + 1) * size));
    }
  };

/** Floats that hold any message: its length, and three bytes each. */
function roomFor(compressor: ContractiveCompressor, size: number): number {
  return 1 + Math.ceil(compressor.maxByteLength(size) / 3);
}

/** Writes the bytes as integers below 2²⁴, which are floats that every copy and every file leaves as they are. */
function pack(message: Uint8Array, floats: Float32Array): void {
  floats[0] = message.length;
  for (let i = 0, at = 1; i < message.length; i += 3) {
    floats[at++] = message[i]! | (message[i + 1] ?? 0) << 8 | (message[i + 2] ?? 0) << 16;
  }
}

/** The bytes that {@linkcode pack} wrote. */
function unpack(floats: Float32Array, buffer: Uint8Array): Uint8Array {
  const length = floats[0]!;
  for (let i = 0, at = 1; i < length; i += 3) {
    const word = floats[at++]!;
    buffer[i] = word, buffer[i + 1] = word >> 8, buffer[i + 2] = word >> 16;
  }
  return buffer.subarray(0, length);
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
