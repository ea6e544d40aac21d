/**
 * Compression of both ways, to a server and back, without a server: each rank serves a stripe of the vector, which all
 * send to it.
 *
 * @module
 */

import type { Compressor, ContractiveCompressor } from "../../../compressors/compressor.ts";
import { fold } from "../../../random.ts";
import { allToAll } from "../../../transport/round.ts";
import type { Context, Exchange } from "../method.ts";
import { compressAndKeep, gatherFinite, notice, refuseNotices, requireFinite } from "../parts/finite.ts";
import { isStill, rateRatio } from "../parts/rate.ts";
import { addScaled } from "../parts/vector.ts";

/** State of methods that compress both ways. */
export type BidirectionalState = {
  /** What this rank has not sent yet, and what it has not passed on as the server of its stripe. */
  readonly local: { readonly error: Float32Array; readonly serverError: Float32Array };
  /** The learning rate of the step before; 0: none yet. */
  readonly shared: { readonly rate: Float64Array };
};

/**
 * The largest α of a stripe. Stripes have ⌊d/n⌋ or ⌈d/n⌉ of the d numbers, and the shorter ones may be the less
 * favourable: of a compressor that sends half of the numbers, rounded down, three of five are lost and two of four.
 */
export function stripeAlpha(compressor: ContractiveCompressor, size: number, ranks: number): number {
  const sizes = [Math.floor(size / ranks), Math.ceil(size / ranks)].filter((length) => length > 0);
  return Math.max(...sizes.map((length) => compressor.alpha(length)));
}

/** Errors of zero, for `size` parameters on `ranks` ranks. */
export function bidirectionalState(size: number, ranks: number): BidirectionalState {
  return {
    local: { error: new Float32Array(size), serverError: new Float32Array(Math.ceil(size / ranks)) },
    shared: { rate: new Float64Array(1) },
  };
}

/** How {@linkcode compressBothWays} compresses. */
interface BothWays {
  /** The method's name, for what is refused. */
  readonly name: string;
  /** The compressor of the stripe whose first number is number `start` of the vector. */
  readonly compressorOf: (start: number) => Compressor;
  /** The learning rate, in whose units errors are kept; undefined or constant: errors are kept as they are. */
  readonly learningRate: number | undefined;
  /** Throws where the result will not do, on all ranks alike, before anything is written. */
  readonly accept?: (result: Float32Array) => void;
}

/**
 * vector := C(mean C(vector + ratio · error) + ratio · serverError), stripe by stripe: an all-to-all of compressed
 * stripes, their means, and an all-gather of the compressed means. The ratio is that of the learning rates of the step
 * before and of this one. Both errors are written after the last round.
 */
export function* compressBothWays(
  vector: Float32Array,
  { local: { error, serverError }, shared: { rate } }: BidirectionalState,
  { rank, size, keyOf, workspace }: Context,
  { name, compressorOf, learningRate, accept }: BothWays,
): Exchange {
  const from = (r: number) => Math.floor(r * vector.length / size);
  const stripe = (x: Float32Array, r: number) => x.subarray(from(r), from(r + 1));
  const { length } = stripe(vector, rank);
  if (serverError.length < length) {
    throw new RangeError(
      `Cannot serve a stripe of ${length} numbers: the state was made for stripes of ${serverError.length}`,
    );
  }
  const ratio = rateRatio(rate, learningRate);
  addScaled(vector, ratio, error);
  const compressors = Array.from({ length: size }, (_, r) => compressorOf(from(r)));
  const most = Math.max(...compressors.map((compressor, r) => compressor.maxByteLength(from(r + 1) - from(r))));
  const buffer = workspace.bytes("stripes", (size + 1) * most);
  /** The message of a stripe; what it leaves out stays in x. Each message of a rank in a step has a key of its own. */
  const encode = (x: Float32Array, to: number, slot: number) =>
    compressAndKeep(compressors[to]!, x, fold(keyOf(rank), slot), buffer.subarray(slot * most, (slot + 1) * most));

  const up = compressors.map((_, to) => encode(stripe(vector, to), to, to)), mine = compressors[rank]!;
  // Where one stripe has no message, none goes out: every rank must know that the step is refused.
  const ready = up.every((message) => message !== undefined);
  const received = yield* allToAll(ready ? up as Uint8Array[] : up.map(() => notice(most, workspace)));
  refuseNotices(name, received, most);
  const mean = workspace.floats("stripe", length).fill(0);
  received.forEach((message, r) => mine.decodeAdd(message, fold(keyOf(r), rank), 1 / size, mean));
  for (let i = 0; i < length; i++) mean[i]! += ratio * serverError[i]!;

  const served = yield* gatherFinite(name, encode(mean, rank, size), most, workspace);
  const result = workspace.floats("served", vector.length).fill(0);
  served.forEach((message, r) => compressors[r]!.decodeAdd(message, fold(keyOf(r), size), 1, stripe(result, r)));
  requireFinite(name, "the mean", result);
  accept?.(result);
  // A still step applies nothing of what is sent: then nothing is taken from what is kept either.
  if (!isStill(learningRate)) error.set(vector), serverError.set(mean), rate[0] = learningRate ?? 1;
  vector.set(result);
}
