/**
 * Numbers that leave the range of float32. All ranks then refuse the step together, with their states as they were.
 *
 * What all ranks compute alike, such as a mean, all of them find not finite alike. What only one rank can find out (the
 * vector that it would send, the state that it would keep) it has to tell the others. It does so in place of its
 * message, by a message one byte longer than its compressor writes any. So it has to find out before its last round of
 * the step.
 *
 * @module
 */

import type { Compressor } from "../../../compressors/compressor.ts";
import { sumOfSquares } from "../../../compressors/kernels/sums.ts";
import type { Key } from "../../../random.ts";
import { allGather, type Exchange } from "../../../transport/round.ts";
import type { Workspace } from "../method.ts";

/** A method's numbers have left the range of float32. All ranks of a step refuse it together. */
export class NotFiniteError extends RangeError {
  /** What is not finite. */
  readonly what: string;
  /** The rank whose numbers they are; undefined for what all ranks compute alike. */
  readonly rank: number | undefined;

  /** "Cannot take the step of <method>: <why>" */
  constructor(method: string, why: string, what: string, rank?: number) {
    super(`Cannot take the step of ${method}: ${why}`);
    this.what = `${what} in ${method}`;
    this.rank = rank;
  }
}

/** Whether every number is finite. */
export function allFinite(vector: Float32Array): boolean {
  return Number.isFinite(sumOfSquares(vector)); // squares of float32 and their sums are far from float64's largest
}

/**
 * For what all ranks compute alike.
 *
 * @param name the method's name, and `what` the vector's, for the message
 * @throws {NotFiniteError} unless every number is finite as a float32
 */
export function requireFinite(name: string, what: string, vector: Float32Array | Float64Array): void {
  if (vector instanceof Float32Array && allFinite(vector)) return;
  const at = vector.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (at < 0) return;
  const why = `number ${at} of ${what} is ${vector[at]}, expected finite ones (below 3.4e38)`;
  throw new NotFiniteError(name, why, `number ${at} of ${what}`);
}

/** C(vector), at the start of `buffer`; undefined where the vector is not finite: for {@linkcode gatherFinite}. */
export function compressFinite(
  compressor: Compressor,
  vector: Float32Array,
  key: Key,
  buffer: Uint8Array,
): Uint8Array | undefined {
  return allFinite(vector) ? buffer.subarray(0, compressor.encode(vector, key, buffer)) : undefined;
}

/**
 * C(vector), at the start of `buffer`. The vector becomes vector − C(vector), which error feedback keeps. Undefined
 * where one of the two is not finite.
 */
export function compressAndKeep(
  compressor: Compressor,
  vector: Float32Array,
  key: Key,
  buffer: Uint8Array,
): Uint8Array | undefined {
  const message = compressFinite(compressor, vector, key, buffer);
  if (message) compressor.decodeAdd(message, key, -1, vector);
  return allFinite(vector) ? message : undefined;
}

/**
 * The messages of all ranks, in rank order.
 *
 * @param name the method's name, for what is refused
 * @param message this rank's message; undefined where its numbers are not finite, which all ranks are then told
 * @param most the most bytes that the compressor writes
 * @throws {NotFiniteError} on all ranks alike if one of them had no message
 */
export function* gatherFinite(
  name: string,
  message: Uint8Array | undefined,
  most: number,
  workspace: Workspace,
  gather: (message: Uint8Array) => Exchange<readonly Uint8Array[]> = allGather,
): Exchange<readonly Uint8Array[]> {
  const messages = yield* gather(message ?? notice(most, workspace));
  refuseNotices(name, messages, most);
  return messages;
}

/** What a rank sends in place of a message of at most `most` bytes, to say that its numbers are not finite. */
export function notice(most: number, workspace: Workspace): Uint8Array {
  return workspace.bytes("notice", most + 1).fill(0xff);
}

/** @throws {NotFiniteError} for the first rank that has sent a {@linkcode notice} */
export function refuseNotices(name: string, messages: readonly Uint8Array[], most: number): void {
  const rank = messages.findIndex(({ length }) => length === most + 1);
  if (rank < 0) return;
  const why = `what rank ${rank} would send or keep is beyond the largest float32, 3.4e38; ` +
    "expected smaller gradients, or a learning rate that does not fall so far at once";
  throw new NotFiniteError(name, why, "what it would send or keep", rank);
}
