/** The operations of a group: the one list of them, with all that every transport must know of each. @module */

import { bytesOf } from "../bytes.ts";
import type { Round, WireRound } from "./round.ts";

/** The name of an operation. */
export type OpName = WireRound["op"];
/** A round of this operation. */
export type RoundOf<Name extends OpName> = Extract<WireRound, { readonly op: Name }>;

/** What there is to know of one operation. */
interface Op<R extends WireRound> {
  /** Its number in the header of a message, and in the mailbox of a blocking group. */
  readonly number: number;
  /** Its number in the headers of shared memory. */
  readonly sharedNumber: number;
  /** What a rank sends: its messages, or its vector. */
  sends(round: R): readonly (Uint8Array | Float32Array)[];
  /** The only rank whose messages are sent, where there is such a rank. */
  root?(round: R): number;
  /** What each rank receives: every message that is sent, the messages to itself, or the sum of all vectors. */
  readonly reply: "all" | "own" | "sum";
  /** A number in each message's header that all ranks must agree on, and what is said if they do not. Default 0. */
  readonly agreed?: {
    number(round: R): number;
    differs(mine: number, theirs: number, from: number): string;
  };
  /** The round whose messages are these. */
  round(messages: readonly Uint8Array[], root: number): R;
}

const ops: { readonly [Name in OpName]: Op<RoundOf<Name>> } = {
  allGather: {
    number: 1,
    sharedNumber: 0,
    sends: ({ message }) => [message],
    reply: "all",
    round: ([message = empty]) => ({ op: "allGather", message }),
  },
  allToAll: {
    number: 2,
    sharedNumber: 1,
    sends: ({ messages }) => messages,
    reply: "own",
    round: (messages) => ({ op: "allToAll", messages }),
  },
  allReduce: {
    number: 3,
    sharedNumber: 2,
    sends: ({ vector }) => [vector],
    reply: "sum",
    agreed: {
      number: ({ vector }) => vector.length,
      differs: (mine, theirs, from) => `this rank has ${mine} numbers, rank ${from} has ${theirs}`,
    },
    round: ([message = empty]) => ({ op: "allReduce", vector: floatsOf(message) }),
  },
  broadcast: {
    number: 4,
    sharedNumber: 3,
    sends: ({ message }) => [message],
    root: ({ root }) => root,
    reply: "all",
    agreed: {
      number: ({ root }) => root,
      differs: (mine, theirs, from) => `this rank expects root ${mine}, rank ${from} root ${theirs}`,
    },
    round: ([message = empty], root) => ({ op: "broadcast", root, message }),
  },
};

const empty = new Uint8Array(0), none: readonly Uint8Array[] = [];

/** The names of all operations. */
export const opNames = Object.keys(ops) as readonly OpName[];

/** What there is to know of an operation. */
export function opOf(name: OpName): Op<WireRound> {
  return ops[name] as unknown as Op<WireRound>;
}

/** The name of the operation with this number, undefined where there is none. */
export function opNumbered(number: number, column: "number" | "sharedNumber" = "number"): OpName | undefined {
  return opNames.find((name) => ops[name][column] === number);
}

/** All messages of a round, in order; the bytes of its vector, where it has one. Nothing is copied. */
export function messagesOf(round: WireRound): readonly Uint8Array[] {
  return round.op === "allReduce" ? [bytesOf(round.vector)] : opOf(round.op).sends(round) as readonly Uint8Array[];
}

/** The root of a round, undefined where it has none. */
export function rootOf(round: WireRound): number | undefined {
  return opOf(round.op).root?.(round);
}

/** The messages that `rank` sends in a round: all of them, or none where another rank is the root. */
export function sentMessages(round: WireRound, rank: number): readonly Uint8Array[] {
  return (rootOf(round) ?? rank) === rank ? messagesOf(round) : none;
}

/** The bytes of a rank's own messages in a round, each counted once: what `Traffic.encodedBytes` adds up. */
export function encodedBytes(round: Round, rank: number): number {
  if (round.op === "start") return encodedBytes(round.round, rank);
  if (round.op === "gradient" || round.op === "finish") return 0;
  if ((rootOf(round) ?? rank) !== rank) return 0;
  let sum = 0;
  for (const { byteLength } of opOf(round.op).sends(round)) sum += byteLength;
  return sum;
}

/**
 * Checks a round before any byte of it is sent.
 *
 * @throws {TypeError} if its op is unknown
 * @throws {RangeError} if a message is longer than `maxMessageBytes`, there is not one for each rank, or the root is no
 *   rank
 */
export function checkRound(round: WireRound, size: number, maxMessageBytes: number): void {
  const { op } = round;
  if (!Object.hasOwn(ops, op)) throw new TypeError(`Cannot perform the round: unknown op ${op}`);
  const sent = opOf(op).sends(round), root = rootOf(round);
  if (opOf(op).reply === "own" && sent.length !== size) {
    throw new RangeError(`Cannot perform ${op}: ${sent.length} messages for ${size} ranks`);
  }
  if (root !== undefined && !(Number.isInteger(root) && root >= 0 && root < size)) {
    throw new RangeError(`Cannot perform ${op}: root is ${root}, expected a rank below ${size}`);
  }
  for (const { byteLength } of sent) {
    if (byteLength <= maxMessageBytes) continue;
    throw new RangeError(
      `Cannot perform ${op}: the message has ${byteLength} bytes, agreed are at most ${maxMessageBytes}`,
    );
  }
}

/** The bytes as numbers: in the same memory if they are aligned to 4 bytes there, else in a copy. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}
