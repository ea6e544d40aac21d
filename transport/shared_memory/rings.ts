/**
 * Messages between pairs of ranks through rings in shared memory, one ring for each pair and direction. A ring has one
 * writer, which alone moves its head, and one reader, which alone moves its tail. A message is its length, 4 bytes
 * little-endian, and its bytes.
 *
 * First come words of 32 bits in the machine's order, 144 for each rank and then 32 for each ring, by sender and then
 * by receiver. What different ranks write lies in different cache lines of 64 bytes, or 16 words.
 *
 * | word of a rank | what                                                                                  |
 * | -------------- | ------------------------------------------------------------------------------------- |
 * | 0              | its state: 0 here, 1 left, 2 gave up                                                  |
 * | 1              | the rank that it blames                                                               |
 * | 2              | the length in bytes of the text that says why                                         |
 * | 3              | a sign of life, which grows                                                           |
 * | 16 … 143       | that text                                                                             |
 *
 * | word of a ring | what                                                                                  |
 * | -------------- | ------------------------------------------------------------------------------------- |
 * | 0              | the head: bytes written, modulo twice the capacity, so that full differs from empty   |
 * | 16             | the tail: bytes read, likewise                                                        |
 *
 * The rings themselves follow, of `capacity` bytes each.
 *
 * @module
 */

import { pause } from "./rendezvous.ts";
import { type Transport, TransportError } from "../transport.ts";

const LINE = 16;
const STATE = 0, BLAMED = 1, WHY_LENGTH = 2, LIFE = 3, WHY = LINE, WHY_BYTES = 512, RANK_WORDS = LINE + WHY_BYTES / 4;
const HERE = 0, LEFT = 1, GAVE_UP = 2;
const HEAD = 0, TAIL = LINE, RING_WORDS = 2 * LINE;

/** How often a rank gives a sign of life in the time after which silence makes it lost. */
const signsInTimeout = 6;
/** A rank that waits looks so many times at once, and then every millisecond. */
const eagerLooks = 8;

/** The bytes that the rings of a group need. Zeroed, they are ready for use. */
export function ringsByteLength(size: number, capacity: number): number {
  return 4 * (size * RANK_WORDS + size * size * RING_WORDS) + size * size * capacity;
}

/** One rank's side of all rings of a group. */
export class Rings implements Transport {
  /** The bytes of the length that precedes each message. */
  readonly framing = 4;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #data: number;
  /** For each peer, the last send and the last receive that were begun: each begins when the one before has ended. */
  readonly #sending: Promise<unknown>[] = [];
  readonly #receiving: Promise<unknown>[] = [];
  /** For each peer, memory for the message received last. */
  readonly #messages: Uint8Array[] = [];
  readonly #heart: ReturnType<typeof setInterval>;
  /** For each rank, its sign of life as it was seen last, and when it changed. */
  readonly #signs: { life: number; seen: number }[];
  readonly rank: number;
  readonly size: number;
  readonly capacity: number;
  readonly timeout: number;
  #end: TransportError | undefined;

  constructor(memory: SharedArrayBuffer, rank: number, size: number, capacity: number, timeout: number) {
    this.rank = rank;
    this.size = size;
    this.capacity = capacity;
    this.timeout = timeout;
    this.#signs = Array.from({ length: size }, () => ({ life: NaN, seen: 0 }));
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#data = 4 * (size * RANK_WORDS + size * size * RING_WORDS);
    this.#heart = setInterval(() => Atomics.add(this.#words, rank * RANK_WORDS + LIFE, 1), timeout / signsInTimeout);
    // A timer that only says that this thread lives must not keep it alive; Node and Deno have a switch for that.
    (this.#heart as { unref?: () => void }).unref?.();
  }

  send(to: number, message: Uint8Array): Promise<void> {
    return this.#inTurn(this.#sending, to, async () => {
      const length = new Uint8Array(Uint32Array.of(message.length).buffer);
      for (const bytes of [length, message]) {
        for (let done = 0; done < bytes.length;) {
          const wrote = this.#write(to, bytes.subarray(done));
          done += wrote;
          if (wrote === 0) await this.#wait(to, () => this.#room(to) > 0);
        }
      }
      if (this.#state(to) !== HERE) throw this.#lost(to);
    });
  }

  receive(from: number): Promise<Uint8Array> {
    return this.#inTurn(this.#receiving, from, async () => {
      const head = new Uint8Array(4);
      await this.#fill(from, head);
      const length = new DataView(head.buffer).getUint32(0, true);
      let message = this.#messages[from];
      if (message === undefined || message.length < length) message = this.#messages[from] = new Uint8Array(length);
      return await this.#fill(from, message.subarray(0, length));
    });
  }

  lastSign(from: number): number {
    const sign = this.#signs[from]!, life = Atomics.load(this.#words, from * RANK_WORDS + LIFE);
    if (sign.life !== life) sign.life = life, sign.seen = performance.now();
    return sign.seen;
  }

  abort(reason: TransportError): Promise<void> {
    return this.close(`rank ${this.rank} gave up: ${reason.message}`, reason.rank ?? this.rank, GAVE_UP, reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close(`rank ${this.rank} left the group`);
  }

  /** Leaves the group. The others are told why when they have received what was sent before. */
  async close(
    why: string,
    blamed = this.rank,
    state = LEFT,
    mine = new TransportError(`Cannot exchange: rank ${this.rank} has left the group`, { rank: this.rank }),
  ): Promise<void> {
    if (this.#end === undefined) {
      this.#end = mine;
      clearInterval(this.#heart);
      const at = this.rank * RANK_WORDS, text = new TextEncoder().encode(why).subarray(0, WHY_BYTES);
      this.#bytes.set(text, 4 * (at + WHY));
      this.#words[at + BLAMED] = blamed;
      this.#words[at + WHY_LENGTH] = text.length;
      Atomics.store(this.#words, at + STATE, state);
    }
    // A send or receive that waits ends at its next look.
    await Promise.allSettled([...this.#sending, ...this.#receiving]);
  }

  #state(rank: number): number {
    return Atomics.load(this.#words, rank * RANK_WORDS + STATE);
  }

  #lost(rank: number): TransportError {
    const at = rank * RANK_WORDS, length = this.#words[at + WHY_LENGTH]!;
    const why = new TextDecoder().decode(this.#bytes.slice(4 * (at + WHY), 4 * (at + WHY) + length));
    return new TransportError(`Cannot exchange with rank ${rank}: ${why}`, { rank: this.#words[at + BLAMED]! });
  }

  /** Does `work` when the work asked for before it is done. If that has failed, this fails too. */
  #inTurn<T>(line: Promise<unknown>[], peer: number, work: () => Promise<T>): Promise<T> {
    if (!(Number.isInteger(peer) && 0 <= peer && peer < this.size) || peer === this.rank) {
      return Promise.reject(new RangeError(`Cannot reach rank ${peer} from ${this.rank}: size is ${this.size}`));
    }
    const result = (line[peer] ?? Promise.resolve()).then(() => {
      if (this.#end) throw this.#end;
      return work();
    });
    line[peer] = result;
    result.catch(() => {}); // The caller is told.
    return result;
  }

  #ring(from: number, to: number): { words: number; data: number } {
    const ring = from * this.size + to;
    return { words: this.size * RANK_WORDS + ring * RING_WORDS, data: this.#data + ring * this.capacity };
  }

  /** Bytes that can be written for `to`. */
  #room(to: number): number {
    return this.capacity - this.#count(this.#ring(this.rank, to).words);
  }

  /** Bytes that are in a ring. */
  #count(at: number): number {
    const head = Atomics.load(this.#words, at + HEAD) >>> 0, tail = Atomics.load(this.#words, at + TAIL) >>> 0;
    return head >= tail ? head - tail : head - tail + 2 * this.capacity;
  }

  /** Writes as much as there is room for; returns how much. */
  #write(to: number, bytes: Uint8Array): number {
    const { words, data } = this.#ring(this.rank, to), length = Math.min(bytes.length, this.#room(to));
    const head = Atomics.load(this.#words, words + HEAD) >>> 0, at = head % this.capacity;
    const first = Math.min(length, this.capacity - at);
    this.#bytes.set(bytes.subarray(0, first), data + at);
    this.#bytes.set(bytes.subarray(first, length), data);
    Atomics.store(this.#words, words + HEAD, (head + length) % (2 * this.capacity));
    return length;
  }

  /** Fills `target` with the next bytes from a rank. */
  async #fill(from: number, target: Uint8Array): Promise<Uint8Array> {
    const { words, data } = this.#ring(from, this.rank);
    for (let done = 0; done < target.length;) {
      const length = Math.min(target.length - done, this.#count(words));
      if (length === 0) {
        await this.#wait(from, () => this.#count(words) > 0);
        continue;
      }
      const tail = Atomics.load(this.#words, words + TAIL) >>> 0, at = tail % this.capacity;
      const first = Math.min(length, this.capacity - at);
      target.set(this.#bytes.subarray(data + at, data + at + first), done);
      target.set(this.#bytes.subarray(data, data + length - first), done + first);
      Atomics.store(this.#words, words + TAIL, (tail + length) % (2 * this.capacity));
      done += length;
    }
    return target;
  }

  /** Looks from time to time until `ready`, or until the peer is lost. */
  async #wait(peer: number, ready: () => boolean): Promise<void> {
    let begin = performance.now(), last = begin;
    for (let looks = 0;; looks++) {
      if (this.#end) throw this.#end;
      const state = this.#state(peer); // Looked up before `ready`, so that what a peer sent before it left is received.
      if (ready()) return;
      if (state !== HERE) throw this.#lost(peer);
      const now = performance.now();
      // While this thread was busy it has not waited, and ranks on the same thread have given no sign of life.
      if (now - last > this.timeout / 4) begin = now;
      last = now;
      if (now - Math.max(begin, this.lastSign(peer)) > this.timeout) {
        throw new TransportError(
          `Cannot exchange with rank ${peer}: it has shown no sign of life for ${this.timeout / 1000} s; ` +
            "timeout raises the limit",
          { rank: peer },
        );
      }
      await pause(looks < eagerLooks ? 0 : 1);
    }
  }
}
