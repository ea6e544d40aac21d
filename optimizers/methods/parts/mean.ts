/**
 * The mean over the ranks, which is what most methods exchange: each rank sends one message, all ranks decode all
 * messages in rank order and so get the same bits.
 *
 * @module
 */

import type { Compressor } from "../../../compressors/compressor.ts";
import { fold, type Key } from "../../../random.ts";
import { allReduce, type Exchange } from "../../../transport/round.ts";
import type { Context } from "../method.ts";
import { allFinite, compressFinite, gatherFinite, requireFinite } from "./finite.ts";
import { scale } from "./vector.ts";

/** A message C(v) that this rank is about to send, and what decodes the messages of the others. */
interface OwnMessage {
  readonly compressor: Compressor;
  /** The key that a rank encodes its message with. */
  readonly keyOf: (rank: number) => Key;
  /** The most bytes that the compressor writes for vectors of this length. */
  readonly most: number;
  /**
   * The bytes of C(v). Undefined where this rank's numbers are not finite: the exchange then refuses the step on all
   * ranks.
   */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Encodes this rank's message, in the workspace.
 *
 * @param part for methods that send several messages in a step: the number of this one, so that each has keys of its
 * own
 */
export function encode(
  compressor: Compressor,
  vector: Float32Array,
  { rank, keyOf, workspace }: Context,
  part?: number,
): OwnMessage {
  const message = silent(compressor, vector.length, { keyOf }, part);
  const buffer = workspace.bytes(part === undefined ? "message" : `message ${part}`, message.most);
  return { ...message, bytes: compressFinite(compressor, vector, message.keyOf(rank), buffer) };
}

/** The message of a rank that does not take part in a step: it has no bytes, and decodes those of the others. */
export function silent(
  compressor: Compressor,
  length: number,
  { keyOf }: Pick<Context, "keyOf">,
  part?: number,
): OwnMessage {
  const own = part === undefined ? keyOf : (rank: number) => fold(keyOf(rank), part);
  return { compressor, keyOf: own, most: compressor.maxByteLength(length), bytes: nothing };
}

const nothing = new Uint8Array(0);

/**
 * into += factor · C(v) for this rank's own message, before it is sent. Where `into` is not finite then, the message
 * that is returned has no bytes.
 */
export function addOwn(message: OwnMessage, rank: number, factor: number, into: Float32Array): OwnMessage {
  const { compressor, keyOf, bytes } = message;
  if (bytes) compressor.decodeAdd(bytes, keyOf(rank), factor, into);
  return bytes && !allFinite(into) ? { ...message, bytes: undefined } : message;
}

/** How a mean of messages is taken where it is not that of all ranks by a plain all-gather. */
interface GatherMeanOptions {
  /** Added to the mean. Default: zeros. */
  readonly base?: Float32Array;
  /** The ranks whose messages count. Default: all. The others send messages of no bytes. */
  readonly of?: ArrayLike<number>;
  /** What each message is multiplied by. Default: 1 / the number of ranks whose messages count. */
  readonly factor?: number;
  /** The exchange of the messages. Default: `allGather`. */
  readonly gather?: (message: Uint8Array) => Exchange<readonly Uint8Array[]>;
}

/**
 * into := base + (1/n) Σ C(vᵢ): sends this rank's message and adds up what all ranks have sent, in rank order. `into`
 * is written when all messages have arrived: until then it may be the vector that was encoded.
 *
 * @param name the method's name, for what is refused
 * @throws {NotFiniteError} on all ranks alike if a rank's message has no bytes
 */
export function* gatherMean(
  name: string,
  { compressor, keyOf, most, bytes }: OwnMessage,
  { size, workspace }: Context,
  into: Float32Array,
  { base, of, factor = 1 / (of?.length ?? size), gather }: GatherMeanOptions = {},
): Exchange {
  const messages = yield* gatherFinite(name, bytes, most, workspace, gather);
  if (base) into.set(base);
  else into.fill(0);
  for (let i = 0; i < (of?.length ?? size); i++) {
    const rank = of ? of[i]! : i;
    compressor.decodeAdd(messages[rank]!, keyOf(rank), factor, into);
  }
}

/**
 * vector := the mean of the ranks' vectors, uncompressed, by one all-reduce. They are scaled before they are added, so
 * that the sum is finite where the mean is.
 *
 * @param name the method's name, and `what` the vector's, for what is refused
 * @throws {NotFiniteError} on all ranks alike if the mean is not finite
 */
export function* reduceMean(name: string, what: string, vector: Float32Array, size: number): Exchange {
  scale(vector, 1 / size);
  yield* allReduce(vector);
  requireFinite(name, what, vector);
}
