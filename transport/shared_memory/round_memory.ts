/**
 * The memory that the ranks of one process share for their rounds, and its barrier.
 *
 * Control words come first, of 32 bits each in the machine's order. What different ranks write lies in different cache
 * lines of 64 bytes, or 16 words, so that cores do not wait for one another's lines.
 *
 * | word       | what                                                                                            |
 * | ---------- | ----------------------------------------------------------------------------------------------- |
 * | 0          | the gate: twice the number of the barrier passed last, plus 1 once a rank is lost               |
 * | 16         | how many ranks have arrived at the next barrier                                                 |
 * | 32         | 1 + the rank that has recorded a loss; 0 if none is recorded                                    |
 * | 33         | the rank that was lost                                                                          |
 * | 34         | the length in bytes of the text that says why                                                   |
 * | 48 … 175   | that text                                                                                       |
 * | 176 + 16 r | for each rank r, the number of the barrier at which it arrived last                             |
 * | then       | headers, for each half and rank: op, root, lengths of messages; rounded up to whole cache lines |
 *
 * Segments follow, of `capacity` bytes for each half and rank: what a rank hands over at a barrier.
 *
 * @module
 */

import { TransportError } from "../transport.ts";

const LINE = 16;
/** The only word that ranks wait on. */
const GATE = 0;
const ARRIVALS = LINE;
const REPORTER = 2 * LINE, LOST = REPORTER + 1, WHY_LENGTH = REPORTER + 2, WHY = 3 * LINE, WHY_BYTES = 512;
const ARRIVED = WHY + WHY_BYTES / 4;

/** How long a rank sleeps before it looks again, should a notification be lost, in milliseconds. */
const sleepMs = 50;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** One rank's view of the memory. */
export class RoundMemory {
  readonly buffer: SharedArrayBuffer;
  readonly size: number;
  readonly capacity: number;
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;
  /** Where headers begin, and the length of one, in words. */
  readonly #headers: number;
  readonly #headerLength: number;
  /** Where segments begin, in bytes. */
  readonly #segments: number;

  /** The bytes that a group of `size` ranks with segments of `capacity` bytes needs. Zeroed, they are ready for use. */
  static byteLength(size: number, capacity: number): number {
    return new RoundMemory(new SharedArrayBuffer(0), size, capacity).#segments + 2 * size * capacity;
  }

  constructor(buffer: SharedArrayBuffer, size: number, capacity: number) {
    this.buffer = buffer;
    this.size = size;
    this.capacity = capacity;
    this.#headers = ARRIVED + size * LINE;
    this.#headerLength = Math.ceil((2 + size) / LINE) * LINE;
    this.#segments = 4 * (this.#headers + 2 * size * this.#headerLength);
    this.words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Where a rank's header of that half begins, in words: op, root, then lengths. */
  header(half: number, rank: number): number {
    return this.#headers + (half * this.size + rank) * this.#headerLength;
  }

  /** Where a rank's segment of that half begins, in bytes. */
  segment(half: number, rank: number): number {
    return this.#segments + (half * this.size + rank) * this.capacity;
  }

  /** The bytes from `at` on. */
  view(at: number, length: number): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  /** The gate: it changes when a barrier is passed, and becomes odd when a rank is lost. */
  get gate(): number {
    return Atomics.load(this.words, GATE);
  }

  /** Counts this rank in; the last one opens the gate, unless a rank is lost. Returns the gate as it was before. */
  arrive(rank: number): number {
    const before = this.gate & ~1;
    Atomics.store(this.words, ARRIVED + rank * LINE, (before >> 1) + 1);
    if (Atomics.add(this.words, ARRIVALS, 1) + 1 === this.size) {
      Atomics.store(this.words, ARRIVALS, 0);
      Atomics.compareExchange(this.words, GATE, before, before + 2);
      Atomics.notify(this.words, GATE);
    }
    return before;
  }

  /** The ranks that have not arrived at the barrier behind the gate. */
  late(gate: number): number[] {
    return Array.from({ length: this.size }, (_, rank) => rank)
      .filter((rank) => Atomics.load(this.words, ARRIVED + rank * LINE) !== (gate >> 1) + 1);
  }

  /** Records that a rank is lost, unless a loss is recorded already, and wakes everyone. */
  lose(lost: number, why: string, reporter: number): void {
    // Another rank may be about to record a loss, or to find in `giveUp` that there is none: it is waited for, not
    // forever.
    for (let looks = 0; looks < 1e6 && (this.gate & 1) === 0; looks++) {
      if (!this.#claim(lost, why, reporter)) continue;
      Atomics.or(this.words, GATE, 1);
      Atomics.notify(this.words, GATE);
    }
  }

  /**
   * Records that a rank is late, if the gate is still what it was. Then nobody passes that barrier, so that a round
   * fails for all ranks or for none.
   */
  giveUp(gate: number, late: number, why: string, reporter: number): void {
    if (!this.#claim(late, why, reporter)) return;
    if (Atomics.compareExchange(this.words, GATE, gate, gate | 1) !== gate) Atomics.store(this.words, REPORTER, 0);
    Atomics.notify(this.words, GATE);
  }

  #claim(lost: number, why: string, reporter: number): boolean {
    if (Atomics.compareExchange(this.words, REPORTER, 0, reporter + 1) !== 0) return false;
    const text = encoder.encode(why).subarray(0, WHY_BYTES);
    this.#bytes.set(text, 4 * WHY);
    this.words[LOST] = lost;
    this.words[WHY_LENGTH] = text.length;
    return true;
  }

  /** The loss that is recorded, as an error. */
  error(doing: string): TransportError {
    const why = decoder.decode(this.#bytes.slice(4 * WHY, 4 * WHY + this.words[WHY_LENGTH]!));
    return new TransportError(`Cannot ${doing}: ${why}`, { rank: this.words[LOST]! });
  }

  /** Blocks while the gate is what it was, or a short while. Looks `spins` times before it gives the core away. */
  sleep(gate: number, spins: number): void {
    for (let i = 0; i < spins; i++) if (Atomics.load(this.words, GATE) !== gate) return;
    Atomics.wait(this.words, GATE, gate, sleepMs);
  }
}
