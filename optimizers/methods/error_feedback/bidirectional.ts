/** Compression both ways without a server: each rank serves a stripe of the vector. @module */

import type { Compressor, ContractiveCompressor } from "../../../compressors/compressor.ts";
import { fold } from "../../../random.ts";
import { allToAll } from "../../../transport/round.ts";
import { compressAndKeep, gatherFinite, notice, refuseOf, requireFinite } from "../parts/finite.ts";
import { isStill, rateRatio } from "../parts/rate.ts";
import type { Context, Exchange } from "../method.ts";
import { addScaled } from "../parts/vector.ts";

/** What compression both ways remembers. */
export type TwoWayState = {
  /** What this rank has not sent yet, and what it has not passed on as the server of its stripe. */
  readonly local: { readonly error: Float32Array; readonly serverError: Float32Array };
  /** The learning rate of the step before; 0: none yet. */
  readonly shared: { readonly rate: Float64Array };
};

/**
 * The largest α of a stripe. Stripes have ⌊d/n⌋ or ⌈d/n⌉ numbers, and the shorter ones may be the less favourable: where
 * half of the numbers, rounded down, are sent, three of five are lost and two of four.
 */
export function stripeAlpha(compressor: ContractiveCompressor, size: number, ranks: number): number {
  const sizes = [Math.floor(size / ranks), Math.ceil(size / ranks)].filter((length) => length > 0);
  return Math.max(...sizes.map((length) => compressor.alpha(length)));
}

/** Zero errors for `size` parameters on `ranks` ranks. */
export function twoWayState(size: number, ranks: number): TwoWayState {
  return {
    local: { error: new Float32Array(size), serverError: new Float32Array(Math.ceil(size / ranks)) },
    shared: { rate: new Float64Array(1) },
  };
}

/**
 * vector := C(mean C(vector + ratio · error) + ratio · serverError), stripe by stripe: all-to-all of compressed stripes,
 * average, all-gather of compressed averages. Both errors are written after the last round; `rate` is the ratio's.
 *
 * @param method the name of the method, for what it refuses
 * @param compressorOf the compressor for the stripe from `start` on
 * @param accept throws where the result will not do, on all ranks alike, before anything is written
 */
export function* bothWays(
  method: string,
  vector: Float32Array,
  { local: { error, serverError }, shared: { rate } }: TwoWayState,
  compressorOf: (start: number) => Compressor,
  { rank, size, keyOf, workspace }: Context,
  learningRate: number | undefined,
  accept: (result: Float32Array) => void = () => {},
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
  const most = compressors.reduce(
    (most, compressor, r) => Math.max(most, compressor.maxByteLength(from(r + 1) - from(r))),
    0,
  );
  const buffer = workspace.bytes("stripes", (size + 1) * most);
  /** The message; what it leaves out stays in x. */
  const encode = (x: Float32Array, to: number, slot: number) =>
    compressAndKeep(compressors[to]!, x, fold(keyOf(rank), slot), buffer.subarray(slot * most, (slot + 1) * most));

  const up = compressors.map((_, to) => encode(stripe(vector, to), to, to)), mine = compressors[rank]!;
  // Where one stripe has no message, none goes out: every rank must know.
  const ready = up.every((message) => message !== undefined);
  const received = yield* allToAll(ready ? up as Uint8Array[] : up.map(() => notice(most, workspace)));
  received.forEach((message, r) => {
    if (message.length === most + 1) refuseOf(method, r);
  });
  const mean = workspace.floats("stripe", length).fill(0);
  received.forEach((message, r) => mine.decodeAdd(message, fold(keyOf(r), rank), 1 / size, mean));
  for (let i = 0; i < length; i++) mean[i]! += ratio * serverError[i]!;

  const served = yield* gatherFinite(method, encode(mean, rank, size), most, workspace);
  const result = workspace.floats("served", vector.length).fill(0);
  served.forEach((message, r) => compressors[r]!.decodeAdd(message, fold(keyOf(r), size), 1, stripe(result, r)));
  requireFinite(method, "the mean", result);
  accept(result);
  // A still step applies nothing of what is sent: then nothing is taken from what is kept either.
  if (!isStill(learningRate)) error.set(vector), serverError.set(mean), rate[0] = learningRate ?? 1;
  vector.set(result);
}
