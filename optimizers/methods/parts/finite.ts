/**
 * Where a method's numbers leave the range of float32, all ranks refuse the step together, with their states as they were.
 *
 * What all ranks compute alike (a mean) all of them find out alike. What one rank finds out alone (the memory that it
 * would keep, the vector that it would send) it says in place of its message, by one that is a byte longer than its
 * compressor writes any. It must therefore find out before its last round.
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

/** @throws {RangeError} unless every number is finite as a float32; for what all ranks compute alike */
export function requireFinite(method: string, what: string, vector: Float32Array | Float64Array): void {
  if (vector instanceof Float32Array && allFinite(vector)) return;
  const at = vector.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (at < 0) return;
  const why = `number ${at} of ${what} is ${vector[at]}, expected finite ones (below 3.4e38)`;
  throw new NotFiniteError(method, why, `number ${at} of ${what}`);
}

/**
 * C(vector), at the start of `buffer`; the vector becomes vector − C(vector), what error feedback keeps. Undefined where
 * the one or the other is not finite: for {@linkcode gatherFinite}.
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

/** C(vector), at the start of `buffer`, or undefined where the vector is not finite: for {@linkcode gatherFinite}. */
export function compressFinite(
  compressor: Compressor,
  vector: Float32Array,
  key: Key,
  buffer: Uint8Array,
): Uint8Array | undefined {
  return allFinite(vector) ? buffer.subarray(0, compressor.encode(vector, key, buffer)) : undefined;
}

/**
 * The messages of all ranks, in rank order.
 *
 * @param message this rank's; undefined: its numbers are not finite, which all ranks are told
 * @param most the most bytes that the compressor writes
 * @throws {RangeError} on all ranks alike if one of them had no message
 */
export function* gatherFinite(
  method: string,
  message: Uint8Array | undefined,
  most: number,
  workspace: Workspace,
  gather: (message: Uint8Array) => Exchange<readonly Uint8Array[]> = allGather,
): Exchange<readonly Uint8Array[]> {
  const messages = yield* gather(message ?? notice(most, workspace));
  messages.forEach(({ length }, rank) => {
    if (length === most + 1) refuseOf(method, rank);
  });
  return messages;
}

/** What a rank sends in place of a message of at most `most` bytes, to say that its numbers are not finite. */
export function notice(most: number, workspace: Workspace): Uint8Array {
  return workspace.bytes("notice", most + 1).fill(0xff);
}

/** Refuses the step for a rank that has sent a {@linkcode notice}. */
export function refuseOf(method: string, rank: number): never {
  const why = `what rank ${rank} would send or keep is beyond the largest float32, 3.4e38; ` +
    "expected smaller gradients, or a learning rate that does not fall so far at once";
  throw new NotFiniteError(method, why, "what it would send or keep", rank);
}
