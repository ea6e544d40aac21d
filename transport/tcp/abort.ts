/** The abort packet, by which ranks tell each other which rank is to blame, and why. @module */

import { printable } from "./printable.ts";
import { text } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** What an abort packet says. */
export interface Abort {
  /** The rank to blame. */
  readonly rank: number;
  /** Why it is to blame. */
  readonly message: string;
  /** The rank that gave up first, where another rank passes on what it said. */
  readonly by?: number;
  /**
   * Sent only while the ranks meet: this connection alone is ended, and the other ranks go on waiting. With "later" the rank
   * that is told so may connect again.
   */
  readonly away?: "for good" | "later";
}

/** The abort packet that tells the peers of an error on rank `own`. */
export function abortOf(error: unknown, own: number): Abort {
  const rank = error instanceof TransportError ? error.rank ?? own : own;
  return { rank, message: text(error).slice(0, 4096) };
}

/** The abort in a packet of rank `from`. What the packet lacks, or has in a wrong form, is filled in. */
export function readAbort(value: unknown, from: number): Abort & { readonly by: number } {
  const { rank, message, by, away } = (typeof value === "object" && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  const isRank = (value: unknown): value is number => Number.isInteger(value) && value as number >= 0;
  return {
    rank: isRank(rank) ? rank : from,
    message: printable(typeof message === "string" ? message : "it does not say why"),
    by: isRank(by) ? by : from,
    ...(away === "for good" || away === "later" ? { away } : {}),
  };
}

/** The error of a rank that has received an abort. */
export function abortError({ rank, message, by, away }: Abort & { readonly by: number }): TransportError {
  if (away) return new TransportError(`Cannot connect: rank ${by} turned this rank away: ${message}`, { rank });
  return new TransportError(`Cannot go on: rank ${by} gave up: ${message}`, { rank });
}
