/**
 * The round that opens every step: are all ranks in the same step, equal in all that decides it, and their gradients
 * finite?
 *
 * @module
 */

import { allGather, type Exchange } from "../../../transport/round.ts";
import { TransportError } from "../../../transport/transport.ts";
import { differentCalls, opensStep, sameCalls, STEP_HEADER as HEADER, STEP_TAG as TAG } from "./calls.ts";
import { compareFacts } from "./compare.ts";
import { inCommon } from "./vote.ts";

/** What a rank tells the others when it opens a step. */
export interface Opening {
  /** The number of the optimizer among those over this group, counted from 1 in the order in which they were made. */
  readonly optimizer: number;
  /** Steps taken before this one. */
  readonly step: number;
  /** The first variable whose gradient is not finite, or −1. */
  readonly nonFinite: number;
  /** The digest of what must be equal on all ranks in this step: 16 hexadecimal digits. */
  readonly hash: string;
  /** For each variable whether it has a gradient on this rank. */
  readonly present: readonly boolean[];
}

/** What to do about a difference between replicas. */
const driftAdvice = "Let all ranks make the same changes before the same step: else their replicas drift apart";

/**
 * Opens a step: tells the ranks what each of them is about to do. Each sends 28 bytes and a bit for each variable.
 *
 * @param equal what must be equal on all ranks, by names that a message can use; it is sent only where the hashes
 *   differ
 * @returns what all ranks have told, in rank order
 * @throws {Error} on all ranks alike, if one sends something else, is in another step or differs in what must be equal
 */
export function* exchangeOpenings(mine: Opening, equal: () => Readonly<Record<string, unknown>>): Exchange<Opening[]> {
  return yield* inCommon(exchange(mine, equal));
}

function* exchange(mine: Opening, equal: () => Readonly<Record<string, unknown>>): Exchange<Opening[]> {
  const { step, optimizer, present: { length } } = mine;
  const refuse = (why: string) => new Error(`Cannot take step ${step}: ${why}`);
  const messages = yield* allGather(write(mine));
  const openings = messages.map((message, rank) => {
    const opening = read(message, length, optimizer);
    if (opening === undefined) throw refuse(foreign(message, rank, messages));
    return opening;
  });
  const other = (name: "optimizer" | "step") => openings.findIndex((opening) => opening[name] !== mine[name]);
  const stranger = other("optimizer"), ahead = other("step");
  if (stranger >= 0) {
    throw refuse(
      `rank ${stranger} is in a step of optimizer ${
        openings[stranger]!.optimizer
      } of this group, this rank of optimizer ` +
        `${optimizer}. Let all ranks take the steps of several optimizers in the same order`,
    );
  }
  if (ahead >= 0) {
    const theirs = openings[ahead]!.step;
    throw refuse(
      `rank ${ahead} is at step ${theirs}. It took ${theirs < step ? "fewer" : "more"} steps than you: ` +
        "give all ranks equally many batches, for instance by shard(), and let them stop in the same epoch",
    );
  }
  if (openings.some(({ hash }) => hash !== mine.hash)) {
    yield* compareFacts(`take step ${step}`, equal(), driftAdvice);
    throw refuse("the ranks sent different digests of what must be equal, and it is equal: a message was damaged");
  }
  return openings;
}

function write({ optimizer, step, nonFinite, hash, present }: Opening): Uint8Array {
  const message = new Uint8Array(HEADER + ((present.length + 7) >>> 3)), view = new DataView(message.buffer);
  view.setUint32(0, TAG, true);
  view.setUint32(4, optimizer, true);
  view.setBigUint64(8, BigInt(step), true);
  view.setInt32(16, nonFinite, true);
  view.setBigUint64(20, BigInt(`0x${hash}`), true);
  present.forEach((present, i) => present && (message[HEADER + (i >>> 3)]! |= 1 << (i & 7)));
  return message;
}

/**
 * Reads the message of another rank. Undefined if it does not open a step, or if it opens one of this optimizer with
 * another number of variables.
 *
 * @param length how many variables this optimizer trains
 * @param mine the number of this optimizer
 */
function read(message: Uint8Array, length: number, mine: number): Opening | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (!opensStep(message)) return undefined;
  const optimizer = view.getUint32(4, true), step = Number(view.getBigUint64(8, true));
  if (optimizer === mine && message.length !== HEADER + ((length + 7) >>> 3)) return undefined;
  return {
    optimizer,
    step,
    nonFinite: view.getInt32(16, true),
    hash: view.getBigUint64(20, true).toString(16).padStart(16, "0"),
    present: Array.from({ length }, (_, i) => (((message[HEADER + (i >>> 3)] ?? 0) >>> (i & 7)) & 1) === 1),
  };
}

/**
 * Explains the error of a rank that has left the group while the others open a step: it has taken fewer steps than
 * they.
 *
 * @param own this rank, which may itself have left the group
 * @returns the explained error, or any other error as it is
 */
export function explainLeave(error: unknown, step: number, own: number): unknown {
  if (!(error instanceof TransportError && /left the group/.test(error.message))) return error;
  const { message, rank } = error, who = rank === undefined ? "a rank" : `rank ${rank}`;
  if (rank === own) {
    return new TransportError(
      `Cannot take step ${step}: this rank, ${rank}, has left the group. Dispose of a group only after its last step`,
      { rank, cause: error },
    );
  }
  return new TransportError(
    `Cannot take step ${step}: ${who} took fewer steps than you: ${message}. Give all ranks equally many batches, for ` +
      "instance by shard(), and let them stop in the same epoch",
    { rank, cause: error },
  );
}

/** Says what a rank does that has sent a message of another kind in place of opening a step. */
function foreign(message: Uint8Array, rank: number, messages: readonly Uint8Array[]): string {
  const start = new TextDecoder().decode(message.slice(0, 12));
  if (start === '["GWmetrics"') {
    return `rank ${rank} took fewer steps than you: it has ended the epoch and averages its metrics. Give all ranks ` +
      "equally many batches, for instance by shard()";
  }
  const calls = differentCalls(messages) ?? `rank ${rank} sent ${message.length} bytes that do not open a step`;
  return `${calls}. ${sameCalls}, and have equally many batches`;
}
