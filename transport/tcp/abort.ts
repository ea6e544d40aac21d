/** How ranks tell each other over TCP whom to blame, and why. @module */

import { printable } from "./printable.ts";
import { text } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** What an abort packet says. */
export interface Abort {
  /** Whom to blame. */
  readonly rank: number;
  /** Why. */
  readonly message: string;
  /** The rank that gave up first, where another one passes its word on. */
  readonly by?: number;
  /** While the ranks meet: only this connection is ended, the others wait on. With "later", the rank may try again. */
  readonly away?: "for good" | "later";
}

/** What the peers are told of an error of rank `own`. */
export function abortOf(error: unknown, own: number): Abort {
  const rank = error instanceof TransportError ? error.rank ?? own : own;
  return { rank, message: text(error).slice(0, 4096) };
}

/** What rank `from` said, as far as it is an abort. */
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

/** The error of a rank that was told so. */
export function abortError({ rank, message, by, away }: Abort & { readonly by: number }): TransportError {
  if (away) return new TransportError(`Cannot connect: rank ${by} turned this rank away: ${message}`, { rank });
  return new TransportError(`Cannot go on: rank ${by} gave up: ${message}`, { rank });
}
