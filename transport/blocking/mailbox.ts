/**
 * The memory between a thread that blocks and the comm worker that performs its rounds.
 *
 * Tickets only grow. The caller writes a round, stores its ticket and notifies; the worker writes the answer, stores a
 * number one higher than its last and notifies. Whoever waits waits for a number to change, in a loop: a notification
 * that comes early, twice or for nothing changes nothing. Memory that has become too small is replaced by the caller,
 * which can allocate and post while it blocks: posting needs no event loop on this side.
 *
 * @module
 */

import { TransportError } from "../transport.ts";

/** Words of the control block. */
export const ASKED = 0,
  ANSWERED = 1,
  PULSE = 2,
  OP = 3,
  ROOT = 4,
  COUNT = 5,
  MEMORY = 6,
  STATUS = 7,
  RANK = 8,
  TEXT = 9,
  ENDED = 10;
/** What the caller asks for: a round, by its place in this list, or the end. */
export const asks = ["close", "allGather", "allToAll", "allReduce", "broadcast"] as const;
/** What the worker answers. */
export const DONE = 1, FAILED = 2, GROW = 3;

const table = 16; // Where the lengths begin, after the words.
const textBytes = 2048;

/** The values of `ENDED` once the group has: the peers have been told; the connections are closed. */
export const TOLD = 1, CLOSED = 2;

/** What the caller posts: new memory for requests, or for replies. */
export interface Growth {
  readonly request?: SharedArrayBuffer;
  readonly reply?: SharedArrayBuffer;
}

/** What the caller posts, in the middle of a round or between two, to end the group: whom to blame, and why. */
export interface Abort {
  readonly abort: { readonly rank: number; readonly message: string };
}

/** The control block of a group of `size` ranks: words, lengths of the messages, traffic, text of an error. */
export class Control {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly lengths: Uint32Array;
  /** Rounds, encoded, sent, received. */
  readonly traffic: Float64Array;
  readonly #text: Uint8Array;

  static allocate(size: number): SharedArrayBuffer {
    return new SharedArrayBuffer(trafficAt(size) + 32 + textBytes);
  }

  constructor(buffer: SharedArrayBuffer, size: number) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer, 0, table);
    this.lengths = new Uint32Array(buffer, 4 * table, size);
    this.traffic = new Float64Array(buffer, trafficAt(size), 4);
    this.#text = new Uint8Array(buffer, trafficAt(size) + 32, textBytes);
  }

  /** Writes what went wrong. The caller throws it as a TransportError. */
  fail(error: unknown): void {
    const text = new TextEncoder().encode(error instanceof Error ? error.message : String(error)).subarray(
      0,
      textBytes,
    );
    this.#text.set(text);
    this.words[TEXT] = text.byteLength;
    this.words[RANK] = error instanceof TransportError ? error.rank ?? -1 : -1;
  }

  /** Stores how far the end of the group has come, and wakes who waits for it. */
  end(stage: typeof TOLD | typeof CLOSED): void {
    Atomics.store(this.words, ENDED, stage);
    Atomics.notify(this.words, ENDED);
  }

  /** Blocks until the end of the group has come so far, but not for long. */
  awaitEnd(stage: typeof TOLD | typeof CLOSED, ms: number): void {
    const deadline = performance.now() + ms;
    for (;;) {
      const ended = Atomics.load(this.words, ENDED), left = deadline - performance.now();
      if (ended >= stage || left <= 0) return;
      Atomics.wait(this.words, ENDED, ended, left);
    }
  }

  /** What went wrong. */
  failure(): TransportError {
    const rank = this.words[RANK]!, text = this.#text.slice(0, this.words[TEXT]);
    return new TransportError(new TextDecoder().decode(text), { rank: rank < 0 ? undefined : rank });
  }
}

function trafficAt(size: number): number {
  return Math.ceil((4 * table + 4 * size) / 8) * 8;
}

/** Where the messages of these lengths begin, one after the other, each aligned to 16 bytes; the last is the end. */
export function offsets(lengths: ArrayLike<number>, count: number): number[] {
  const starts = [0];
  for (let i = 0; i < count; i++) starts.push(starts[i]! + Math.ceil(lengths[i]! / 16) * 16);
  return starts;
}

/** Room to grow into, so that messages that grow slowly do not allocate each time. */
export function roomFor(byteLength: number): number {
  return Math.ceil(byteLength * 1.25 / 4096) * 4096;
}
