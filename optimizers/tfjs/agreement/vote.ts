/**
 * How the ranks agree on what became of a step. Each rank votes in an all-gather: an empty message says that the rank
 * can apply the step, an objection says why it cannot. If one rank objects, all leave the step undone, with the same
 * reason.
 *
 * @module
 */

import { allGather, type Exchange, type Round } from "../../../transport/round.ts";
import { allFinite, NotFiniteError } from "../../methods/parts/finite.ts";

/** Why a rank cannot apply a step. */
export interface Objection {
  /**
   * "brought": this rank handed numbers to the others that are not finite. "found": the result of the exchange is not
   * finite on this rank. "failed": this rank threw an error of its own.
   */
  readonly kind: "brought" | "found" | "failed";
  /** What is not finite, or the error's message. */
  readonly what: string;
}

/** For each rank its objection, or undefined where the rank has none. */
export type Votes = readonly (Objection | undefined)[];

/** The 16 bytes that begin every objection. A compressor's message of random bytes begins with them once in 2¹²⁸. */
const TAG = new TextEncoder().encode("GWobjection/9d1c");
const kinds = ["brought", "found", "failed"] as const;
/** The most bytes of a reason; what goes beyond is cut off. */
const longest = 1000;

/** Writes an objection as a message. */
export function encodeObjection({ kind, what }: Objection): Uint8Array {
  const text = new TextEncoder().encode(what).subarray(0, longest),
    message = new Uint8Array(TAG.length + 1 + text.length);
  message.set(TAG), message[TAG.length] = kinds.indexOf(kind), message.set(text, TAG.length + 1);
  return message;
}

/** Reads the objections among the messages of all ranks; undefined if there is none. */
export function objectionsIn(messages: readonly Uint8Array[]): Votes | undefined {
  if (!messages.some(isObjection)) return undefined;
  return messages.map((message) =>
    isObjection(message)
      ? {
        kind: kinds[message[TAG.length]!] ?? "failed",
        what: new TextDecoder().decode(message.slice(TAG.length + 1)), // decoders refuse shared memory
      }
      : undefined
  );
}

function isObjection(message: Uint8Array): boolean {
  return message.length > TAG.length && TAG.every((byte, i) => message[i] === byte);
}

/** Errors that all ranks throw in the same round, so that no rank needs to be told of them. */
const common = new WeakSet<object>();

/** Marks an error as one that all ranks throw in this round, and returns it. */
export function commonError<E extends Error>(error: E): E {
  common.add(error);
  return error;
}

/** Runs an exchange whose errors are thrown by all ranks alike, and marks them as such. */
export function* inCommon<R>(exchange: Exchange<R>): Exchange<R> {
  try {
    return yield* exchange;
  } catch (error) {
    throw error instanceof Error ? commonError(error) : error;
  }
}

/**
 * Runs a part of a step in which, wherever a rank fails, the next round of the others is an all-gather. If this rank
 * alone fails, it takes part in that round all the same and sends its objection, so that the others do not wait in
 * vain.
 *
 * @param refuse makes the error that this rank throws when other ranks have sent objections
 */
export function* tellingOthers<R>(exchange: Exchange<R>, refuse: (votes: Votes) => Error): Exchange<R> {
  let reply: readonly Uint8Array[] = [];
  try {
    for (;;) {
      let next: IteratorResult<Round, R>;
      try {
        next = exchange.next(reply);
      } catch (error) {
        if (!(error instanceof Error && common.has(error))) {
          const what = error instanceof Error ? error.message : String(error);
          yield* allGather(encodeObjection({ kind: "failed", what }));
        }
        throw error;
      }
      if (next.done) return next.value;
      reply = yield next.value;
      const votes = objectionsIn(reply);
      if (votes) throw commonError(refuse(votes));
    }
  } finally {
    exchange.return(undefined as R);
  }
}

/** What came of a part of a step on this rank. */
export interface Outcome {
  /** The votes of all ranks, where one of them has objected. */
  readonly votes?: Votes | undefined;
  /** What this rank itself objects to, where the others have not been told yet. */
  readonly objection?: Objection | undefined;
  /** The error that this rank threw, if it did. */
  readonly error?: unknown;
}

/**
 * Runs a method's exchange and watches it. The vectors that the method hands into a sum must be finite. If the method
 * throws, this rank sends its objection in an all-gather. Where the others are then in a round of another kind, the
 * transport refuses the two rounds together, and so they learn of the failure too.
 *
 * @param named the method's name
 * @param rank this rank
 * @param bringsNonFinite called when the method has thrown: says what of this rank's numbers is not finite, and returns
 *   undefined if all are
 */
export function* watch(
  exchange: Exchange,
  named: string,
  rank: number,
  bringsNonFinite: () => string | undefined,
): Exchange<Outcome> {
  let reply: readonly Uint8Array[] = [], objection: Objection | undefined;
  try {
    for (;;) {
      let next: IteratorResult<Round, void>;
      try {
        next = exchange.next(reply);
      } catch (error) {
        const mine = objection ?? objectionOf(error, rank, bringsNonFinite);
        const votes = objectionsIn(yield* allGather(encodeObjection(mine)))!;
        return { votes, error };
      }
      if (next.done) return { objection };
      const round = next.value.op === "start" ? next.value.round : next.value;
      if (round.op === "allReduce" && objection === undefined && !allFinite(round.vector)) {
        objection = { kind: "brought", what: `what ${named} hands into a sum` };
      }
      reply = yield next.value;
      const votes = objectionsIn(reply);
      if (votes) return { votes };
    }
  } finally {
    exchange.return();
  }
}

/** The objection of a rank whose method has thrown an error. */
function objectionOf(error: unknown, rank: number, bringsNonFinite: () => string | undefined): Objection {
  if (error instanceof NotFiniteError) return { kind: error.rank === rank ? "brought" : "found", what: error.what };
  const what = bringsNonFinite();
  if (what !== undefined) return { kind: "brought", what };
  return { kind: "failed", what: error instanceof Error ? error.message : String(error) };
}

/** Makes the error by which a step is refused, given the votes. It is the same on all ranks. */
export function refusal(step: number, votes: Votes, named: string): Error {
  const first = (kind: Objection["kind"]) => votes.findIndex((vote) => vote?.kind === kind);
  const failed = first("failed"), brought = first("brought"), found = first("found");
  if (failed >= 0) {
    return commonError(new Error(`Cannot take step ${step}: rank ${failed} failed: ${votes[failed]!.what}`));
  }
  const advice = 'Lower the learning rate, clip the loss, or pass nonFinite: "skip"';
  if (brought >= 0) {
    return commonError(
      new RangeError(`Cannot take step ${step}: ${votes[brought]!.what} on rank ${brought} is not finite. ${advice}`),
    );
  }
  const ranks = votes.flatMap((vote, rank) => vote ? [rank] : []);
  const where = ranks.length === votes.length
    ? "on all ranks"
    : `on ${ranks.length === 1 ? "rank" : "ranks"} ${ranks.join(", ")}`;
  return commonError(
    new RangeError(
      `Cannot take step ${step}: ${
        votes[found]!.what
      } is not finite ${where}, although no rank handed in what is not: ` +
        `a number that ${named} makes exceeds float32, or was damaged on its way. ${advice}`,
    ),
  );
}

/** Whether a step may be skipped with `nonFinite: "skip"`: no rank failed, only numbers are not finite. */
export function mayBeSkipped(votes: Votes): boolean {
  return votes.every((vote) => vote?.kind !== "failed");
}
