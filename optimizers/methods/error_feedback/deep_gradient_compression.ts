import { decodeIndexSet, encodeIndexSet } from "../../../compressors/coding/index_set.ts";
import { selectLargest } from "../../../compressors/kernels/select_largest.ts";
import { gatherFloats, scatterFloats } from "../../../compressors/kernels/gather_floats.ts";
import { scratch } from "../../../compressors/kernels/scratch.ts";
import { fold, type Key } from "../../../random.ts";
import { checkBoolean, checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { allFinite, gatherFinite, requireFinite } from "../parts/finite.ts";
import { randomInteger } from "../parts/random_choice.ts";
import { isStill } from "../parts/rate.ts";
import type { Method } from "../method.ts";
import { scale } from "../parts/vector.ts";
import { squaredNorm } from "../../../compressors/kernels/sums.ts";

/** State of {@linkcode deepGradientCompression}. */
export type DeepGradientCompressionState = {
  /** uᵢ, the momentum, and vᵢ, the sum of momenta that has not been sent. */
  readonly local: { readonly momentum: Float32Array; readonly velocity: Float32Array };
  /** Nothing. */
  readonly shared: Record<never, Float32Array>;
};

/** Options of {@linkcode deepGradientCompression}. */
export interface DeepGradientCompressionOptions {
  /** ρ, the share of numbers that a rank sends. Default 0.001. */
  readonly ratio?: number;
  /** m. Default 0.9. Unless it is 0, the inner optimizer must be plain gradient descent. */
  readonly momentum?: number;
  /** Whether the momentum is Nesterov's. Default false. */
  readonly nesterov?: boolean;
  /** Scales a gradient with a norm above clip / √n down to it, on n ranks. Default: never. */
  readonly clip?: number;
  /** Whether the momentum of what is sent is forgotten (momentum factor masking). Default true. */
  readonly masking?: boolean;
  /** Steps over which the share falls to ρ, in four stages: ρ^(1/5), ρ^(2/5), ρ^(3/5), ρ^(4/5). Default 0. */
  readonly warmupSteps?: number;
  /**
   * Estimates a threshold from this share of the d numbers, as in the paper; 0.8 to 1.3 times ρ d numbers exceed it.
   * Default: selects exactly ρ d numbers, by histograms, which is as fast here.
   */
  readonly sample?: number;
}

/** Stages in which the share falls during the warm-up. */
const STAGES = 4;

/**
 * Deep gradient compression: sends the few largest numbers of an accumulated momentum.
 *
 * ```text
 * uᵢ ← m uᵢ + gᵢ;  vᵢ ← vᵢ + uᵢ                   gᵢ: the gradient of rank i
 *                                                  Nesterov: uᵢ ← m (uᵢ + gᵢ);  vᵢ ← vᵢ + uᵢ + gᵢ
 * send the ρ d of the d numbers of vᵢ that are largest in magnitude
 * vᵢ and uᵢ ← 0 where a number was sent            uᵢ: this is momentum factor masking
 * g ← the mean of what was sent                    x ← x − γ g
 * ```
 *
 * The momentum is inside the estimate: use it with `tf.train.sgd`, or momentum is applied twice. Weight decay belongs
 * in the loss. Leave small tensors uncompressed with `skipSmall`.
 *
 * - Compressor: none; it has its own, top-k with values of 32 bits and coded indices.
 * - Memory: two vectors a rank. Messages per step: one all-gather of about ρ d (32 + log₂(1/ρ) + 1.5) bits.
 * - Step size: that of SGD with momentum, raised gradually during the warm-up.
 * - Source: Lin, Han, Mao, Wang, Dally, arXiv:1712.01887.
 * - Choose it for slow networks and long trainings of large models: the fewest bytes that still reach dense accuracy.
 *
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { deepGradientCompression, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = deepGradientCompression({ ratio: .5, momentum: .5 });
 * console.assert(minimise(problem, method, { rounds: 2000, step: .005, error: 1e-3 }).reached);
 * ```
 */
export function deepGradientCompression(
  options: DeepGradientCompressionOptions = {},
): Method<DeepGradientCompressionState> {
  const name = "deepGradientCompression", doing = `make ${name}`;
  checkOptions(doing, options, ["ratio", "momentum", "nesterov", "clip", "masking", "warmupSteps", "sample"]);
  const { ratio = .001, momentum = .9, nesterov = false, masking = true, warmupSteps = 0, clip, sample } = options;
  checkBoolean(doing, "nesterov", nesterov), checkBoolean(doing, "masking", masking);
  checkNumber(doing, "ratio", ratio, { above: 0, most: 1 });
  checkNumber(doing, "momentum", momentum, { least: 0, below: 1 });
  checkInteger(doing, "warmupSteps", warmupSteps, 0);
  if (clip !== undefined) checkNumber(doing, "clip", clip, { above: 0 });
  if (sample !== undefined) checkNumber(doing, "sample", sample, { above: 0, most: 1 });
  const ratioAt = (step: number) =>
    step >= warmupSteps ? ratio : ratio ** ((Math.floor(STAGES * step / warmupSteps) + 1) / (STAGES + 1));
  return {
    name,
    sampled: true,
    options: { ratio, momentum, nesterov, masking, warmupSteps, ...options },
    init: ({ size }) => ({
      local: { momentum: new Float32Array(size), velocity: new Float32Array(size) },
      shared: {},
    }),
    *reduce(gradient, { local: { momentum: u, velocity: v } }, context) {
      const { step, rank, size, keyOf, workspace, learningRate } = context;
      const d = gradient.length, share = ratioAt(step);
      if (clip !== undefined) {
        const most = clip / Math.sqrt(size), norm = Math.sqrt(squaredNorm(gradient));
        if (norm > most) scale(gradient, most / norm);
      }
      // The new u and v; the state is written when the messages have arrived.
      const nextU = workspace.floats("momentum", d), nextV = workspace.floats("velocity", d);
      for (let j = 0; j < d; j++) {
        nextU[j] = nesterov ? momentum * (u[j]! + gradient[j]!) : momentum * u[j]! + gradient[j]!;
        nextV[j] = v[j]! + nextU[j]! + (nesterov ? gradient[j]! : 0);
      }
      const message = allFinite(nextU) && allFinite(nextV)
        ? encodeLargest(nextV, share, sample, fold(keyOf(rank), 0), workspace.bytes("message", most(d)))
        : undefined;
      const messages = yield* gatherFinite(name, message, most(d), workspace);

      gradient.fill(0);
      for (const message of messages) addSparse(message, 1 / size, gradient);
      requireFinite(name, "the mean", gradient);
      // A still step applies nothing of what is sent: then nothing is taken from what is kept, and nothing added,
      // either.
      if (isStill(learningRate)) return;
      const sent = workspace.floats("sent", d).fill(0);
      addSparse(messages[rank]!, 1, sent);
      // With everything sent, masking would turn momentum off.
      const forget = masking && share < 1;
      for (let j = 0; j < d; j++) {
        v[j] = nextV[j]! - sent[j]!;
        u[j] = forget && sent[j] !== 0 ? 0 : nextU[j]!;
      }
    },
  };
}

const indicesOf = scratch(Uint32Array), sampleOf = scratch(Float32Array);

/** The most bytes of a message for d numbers. */
function most(d: number): number {
  return 4 + 4 * d + Math.ceil(d / 8) + 1;
}

/**
 * The message with the numbers of largest magnitude. In little-endian order:
 *
 * | bytes     | what                       |
 * | --------- | -------------------------- |
 * | 4         | how many numbers, uint32   |
 * | 4 a number | their values, float32     |
 * | the rest  | the set of their indices   |
 */
function encodeLargest(
  vector: Float32Array,
  share: number,
  sample: number | undefined,
  key: Key,
  message: Uint8Array,
): Uint8Array {
  const d = vector.length, wanted = Math.min(d, Math.max(1, Math.floor(share * d))), indices = indicesOf(d);
  let count = sample === undefined ? 0 : selectAbove(vector, wanted, sample, key, indices);
  if (count === 0) selectLargest(vector, count = wanted, indices);
  new DataView(message.buffer, message.byteOffset).setUint32(0, count, true);
  const end = encodeIndexSet(indices, count, d, message, 8 * gatherFloats(vector, indices, count, message, 4));
  return message.subarray(0, (end + 7) >>> 3);
}

/**
 * indices := those of all numbers whose magnitudes reach a threshold. The threshold is estimated from a sample and then
 * corrected until 0.8 to 1.3 times as many numbers as wanted reach it.
 *
 * @returns how many do, or 0 if ten corrections do not lead there
 */
function selectAbove(vector: Float32Array, wanted: number, share: number, key: Key, indices: Uint32Array): number {
  // An odd stride, so that the sample does not follow a row of a matrix.
  const d = vector.length,
    stride = 32 * Math.floor(1 / share / 32) + 1,
    start = randomInteger(key, Math.min(stride, d));
  const sample = sampleOf(Math.ceil((d - start) / stride));
  for (let i = 0; i < sample.length; i++) sample[i] = vector[start + i * stride]!;
  const rank = Math.min(sample.length, Math.max(1, Math.round(wanted * sample.length / d)));
  selectLargest(sample, rank, indices);
  let threshold = Infinity;
  for (let i = 0; i < rank; i++) threshold = Math.min(threshold, Math.abs(sample[indices[i]!]!));
  for (let turn = 0; turn < 10; turn++) {
    let count = 0;
    for (let j = 0; j < d; j++) if (Math.abs(vector[j]!) >= threshold) indices[count++] = j;
    if (.8 * wanted <= count && count <= 1.3 * wanted) return count;
    threshold *= count > wanted ? 1.3 : .8;
  }
  return 0;
}

/** into += scale · the vector that a message of {@linkcode encodeLargest} stands for. */
function addSparse(message: Uint8Array, scale: number, into: Float32Array): void {
  const d = into.length;
  const refuse = (why: string) => new RangeError(`Cannot decode deepGradientCompression: ${why}`);
  if (message.length < 4) throw refuse(`the message has ${message.length} bytes, expected at least 4`);
  const count = new DataView(message.buffer, message.byteOffset).getUint32(0, true);
  if (count > d || message.length < 4 + 4 * count) {
    throw refuse(`the message has ${message.length} bytes for ${count} of ${d} numbers`);
  }
  const indices = indicesOf(d), end = decodeIndexSet(message, 32 + 32 * count, count, d, indices);
  if ((end + 7) >>> 3 !== message.length) throw refuse(`the message has ${message.length} bytes, expected ${end / 8}`);
  const largest = scatterFloats(message, 4, indices, count, scale, into);
  if (!Number.isFinite(largest)) throw refuse(`a value is ${largest}, expected a finite number`);
}
