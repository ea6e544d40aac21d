/**
 * The memory between a thread that blocks, here called the caller, and the comm worker that performs its rounds.
 *
 * The caller writes a request, adds 1 to the word `asked` and notifies; the worker writes an answer, adds 1 to the word
 * `answered` and notifies. Whoever waits waits for a word to change, in a loop, so that a notification that comes early, twice
 * or for nothing does no harm. Memory that has become too small is replaced by the caller, which can allocate and post
 * while it blocks: posting needs no event loop on its side.
 *
 * The memory, of a group of n ranks:
 *
 * | what                                                     | where                                       |
 * | -------------------------------------------------------- | ------------------------------------------- |
 * | the words of {@linkcode word}, 32 bits each              | from byte 0                                 |
 * | lengths of the messages of a request or an answer, u32   | from byte 64, n of them                     |
 * | rounds, encoded, sent and received bytes, a double each  | from the next multiple of 8 bytes, 4 of them |
 * | the text of an error, in UTF-8                           | behind, at most 2 048 bytes                 |
 *
 * @module
 */

import { TransportError } from "../transport.ts";

/** The places of the words. */
export const word = {
  /** How many requests the caller has made. Wraps around. */
  asked: 0,
  /** How many answers the worker has given, those that ask for memory included. Wraps around. */
  answered: 1,
  /** Grows as long as the worker lives. */
  pulse: 2,
  /** The request: the number of a round's op, or {@linkcode close}. */
  op: 3,
  /** The root of a round that has one. */
  root: 4,
  /** How many messages the request or the answer has; of an answer `grow`, how many times 4 096 bytes are needed. */
  count: 5,
  /** How many memories for requests the caller has posted. */
  memories: 6,
  /** The answer: a {@linkcode status}. */
  status: 7,
  /** The rank that an error names, or −1. */
  rank: 8,
  /** The length of an error's text in bytes. */
  text: 9,
  /** How far the end of a group that has failed has come: 0, or an {@linkcode ended}. */
  ended: 10,
} as const;

/** The request to leave the group. Rounds have the numbers of their ops, from 1 on. */
export const close = 0;
/** Answers: the round is done; it has failed; the replies need more memory, then the round goes on. */
export const status = { done: 1, failed: 2, grow: 3 } as const;
/** The end of a group that has failed: the peers have been told why; the connections are closed. */
export const ended = { told: 1, closed: 2 } as const;

const lengthsAt = 64, textBytes = 2048;

/** One group's mailbox, as either thread sees it. */
export class Mailbox {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly lengths: Uint32Array;
  /** Rounds, then encoded, sent and received bytes. */
  readonly traffic: Float64Array;
  readonly #text: Uint8Array;

  static allocate(size: number): SharedArrayBuffer {
    return new SharedArrayBuffer(trafficAt(size) + 32 + textBytes);
  }

  constructor(buffer: SharedArrayBuffer, size: number) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer, 0, lengthsAt / 4);
    this.lengths = new Uint32Array(buffer, lengthsAt, size);
    this.traffic = new Float64Array(buffer, trafficAt(size), 4);
    this.#text = new Uint8Array(buffer, trafficAt(size) + 32, textBytes);
  }

  /** Writes what went wrong. */
  fail(error: unknown): void {
    const text = new TextEncoder().encode(error instanceof Error ? error.message : String(error)).subarray(
      0,
      textBytes,
    );
    this.#text.set(text);
    this.words[word.text] = text.byteLength;
    this.words[word.rank] = error instanceof TransportError ? error.rank ?? -1 : -1;
  }

  /** What went wrong. */
  failure(): TransportError {
    const rank = this.words[word.rank]!, text = this.#text.slice(0, this.words[word.text]);
    return new TransportError(new TextDecoder().decode(text), { rank: rank < 0 ? undefined : rank });
  }

  /** Stores how far the end of the group has come, and wakes who waits for it. */
  end(stage: number): void {
    Atomics.store(this.words, word.ended, stage);
    Atomics.notify(this.words, word.ended);
  }

  /** Blocks until the end of the group has come so far, but not for longer than `ms` milliseconds. */
  awaitEnd(stage: number, ms: number): void {
    const deadline = performance.now() + ms;
    for (;;) {
      const ended = Atomics.load(this.words, word.ended), left = deadline - performance.now();
      if (ended >= stage || left <= 0) return;
      Atomics.wait(this.words, word.ended, ended, left);
    }
  }
}

function trafficAt(size: number): number {
  return Math.ceil((lengthsAt + 4 * size) / 8) * 8;
}

/** Where messages of these lengths begin, each at a multiple of 16 bytes. The last number is where they end. */
export function offsets(lengths: ArrayLike<number>, count: number): number[] {
  const starts = [0];
  for (let i = 0; i < count; i++) starts.push(starts[i]! + Math.ceil(lengths[i]! / 16) * 16);
  return starts;
}

/** At least so many bytes, and a quarter more, so that messages that grow slowly do not allocate each time. */
export function roomFor(byteLength: number): number {
  return Math.ceil(byteLength * 1.25 / 4096) * 4096;
}
