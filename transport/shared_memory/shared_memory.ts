/**
 * Rounds through shared memory: every rank writes its part into a segment of its own, meets the others at a barrier and
 * reads theirs. Written as generators that yield where a rank has to wait, so that one implementation serves threads
 * that may block and threads that may not.
 *
 * The memory has two halves, used in turn by successive barriers. A rank writes into the half of barrier k only after
 * it has passed barrier k − 1, which nobody passes before everybody has finished reading the half of barrier k − 2: the
 * same half. Hence one barrier per exchange, and what was read stays valid until the next one.
 *
 * @module
 */

import { checkRound, segment as stripe, wholeBytes } from "../collective/collective.ts";
import { encodedBytes, type Traffic, type WireRound } from "../round.ts";
import { listed } from "./rendezvous.ts";
import type { SharedMemory } from "./layout.ts";
import { lossOf, TransportError } from "../transport.ts";

/** Yields what the gate word was when the rank began to wait; returns when the wait is over. */
export type Waits<R> = Generator<number, R, void>;

const operations = ["allGather", "allToAll", "allReduce", "broadcast"] as const;

/** Vectors of up to this many floats are summed whole by every rank: one barrier instead of two. */
const SMALL = wholeBytes / 4;
/** Larger ones go in chunks of this many floats, which stay in the caches of the cores. */
const CHUNK = 1 << 18;
/** Of more than two ranks, blocks of this many floats are added up, which stay in a core's nearest cache. */
const BLOCK = 1 << 13;

/** One rank's side of the rounds. */
export class Rounds {
  readonly traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #memory: SharedMemory;
  readonly #floats: Float32Array;
  /**
   * Replies that came in several parts: a buffer per sender, grown and reused. A reply may be sent on: it is overwritten
   * part by part, each after it has been sent.
   */
  readonly #parts: Uint8Array[] = [];
  readonly #chunk: number;
  /** The sum so far: a failed round leaves the vector as it was. */
  #sum = new Float32Array(0);
  #half = 0;
  #closed = false;
  #failure: TransportError | undefined;
  /** How long this rank has waited in this round, in milliseconds. */
  #waited = 0;
  readonly rank: number;
  readonly timeout: number;
  readonly roundTimeout: number;

  constructor(memory: SharedMemory, rank: number, timeout: number, roundTimeout = Infinity) {
    this.#memory = memory;
    this.rank = rank;
    this.timeout = timeout;
    this.roundTimeout = roundTimeout;
    this.#floats = new Float32Array(memory.buffer);
    // A segment holds a chunk and this rank's share of the chunk before it, summed.
    this.#chunk = Math.min(CHUNK, Math.floor(memory.capacity / 4 * memory.size / (memory.size + 1)));
  }

  get size(): number {
    return this.#memory.size;
  }

  /** Leaves the group. Whoever waits for this rank from now on is told why. */
  close(why = `rank ${this.rank} left the group`): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#memory.lose(this.rank, why, this.rank);
  }

  /** Leaves the group because of an error that the others are told. */
  abort(reason: Error): void {
    if (this.#closed) return;
    const { message, rank } = this.#failure = lossOf(reason, this.rank);
    this.#closed = true;
    this.#memory.lose(rank!, `rank ${this.rank} gave up: ${message}`, this.rank);
  }

  /** Performs a round. Views in the reply are valid until the next call. */
  *perform(round: WireRound): Waits<readonly Uint8Array[]> {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw new TransportError(`Cannot perform ${round.op}: the group is closed`, { rank: this.rank });
    const { rank, size, traffic } = this;
    checkRound(round, size, 2 ** 32 - 1);
    this.#waited = 0;
    let replies: readonly Uint8Array[] = [];
    switch (round.op) {
      case "allGather":
        replies = yield* this.#move(round.op, 0, [round.message], () => 0);
        break;
      case "allToAll":
        replies = yield* this.#move(round.op, 0, round.messages, () => rank);
        break;
      case "broadcast": {
        const { root, message } = round;
        replies = yield* this.#move(round.op, root, rank === root ? [message] : [], (from) => from === root ? 0 : -1);
        break;
      }
      case "allReduce":
        if (size > 1) yield* this.#allReduce(round.vector);
    }
    traffic.rounds++;
    traffic.encodedBytes += encodedBytes(round, rank);
    return replies;
  }

  /** Every rank writes messages into columns of its segment and reads column `columnOf(from)` of each other's. */
  *#move(
    op: WireRound["op"],
    root: number,
    outgoing: readonly Uint8Array[],
    columnOf: (from: number) => number,
  ): Waits<Uint8Array[]> {
    const memory = this.#memory, { words } = memory, { rank, size, traffic } = this;
    const width = op === "allToAll" ? Math.floor(memory.capacity / size / 64) * 64 : memory.capacity;
    const replies: Uint8Array[] = [];
    let longest = 0;
    for (let done = 0; done === 0 || done < longest; done += width) {
      const half = this.#half;
      outgoing.forEach((message, column) => {
        const part = message.subarray(done, done + width);
        memory.view(memory.segment(half, rank) + column * width, part.length).set(part);
      });
      if (done === 0) this.#announce(op, root, outgoing.map(({ length }) => length));
      yield* this.#barrier(op);
      if (done === 0) longest = this.#agree(op, half);
      for (let from = 0, reply = 0; from < size; from++) {
        const column = columnOf(from);
        if (column < 0) continue;
        const length = done === 0 ? words[memory.header(half, from) + 2 + column]! >>> 0 : replies[reply]!.length;
        const part = memory.view(
          memory.segment(half, from) + column * width,
          Math.max(0, Math.min(width, length - done)),
        );
        if (longest <= width) replies[reply] = part;
        else {
          if (done === 0) replies[reply] = this.#part(from, length);
          replies[reply]!.set(part, Math.min(done, length));
        }
        if (from !== rank) traffic.receivedBytes += part.length;
        reply++;
      }
    }
    outgoing.forEach(({ length }, to) => {
      traffic.sentBytes += op === "allToAll" ? (to === rank ? 0 : length) : length * (size - 1);
    });
    return replies;
  }

  /**
   * The sum over ranks, added in rank order with a rounding after each addition, whoever adds. In chunks: at each
   * barrier a rank hands in one chunk, sums its own stripe of the chunk before, and fetches the other stripes of the one
   * before that.
   */
  *#allReduce(vector: Float32Array): Waits<void> {
    const memory = this.#memory, floats = this.#floats, { rank, size, traffic } = this, { length } = vector;
    const op = "allReduce", chunk = this.#chunk;
    this.#announce(op, 0, [length]);
    if (length <= Math.min(SMALL, chunk)) {
      const half = this.#half;
      floats.set(vector, memory.segment(half, rank) / 4);
      yield* this.#barrier(op);
      this.#agree(op, half);
      const part = (from: number) => {
        const there = memory.segment(half, from) / 4;
        return floats.subarray(there, there + length);
      };
      add(vector, part(0), part(1));
      for (let from = 2; from < size; from++) add(vector, vector, part(from));
      traffic.sentBytes += (size - 1) * vector.byteLength;
      traffic.receivedBytes += (size - 1) * vector.byteLength;
      return;
    }
    if (this.#sum.length < length) this.#sum = new Float32Array(length);
    const result = this.#sum,
      chunks = Math.ceil(length / chunk),
      summed = memory.capacity / 4 - Math.ceil(chunk / size);
    for (let k = 0; k <= chunks + 1; k++) {
      const half = this.#half;
      if (k >= 2) { // fetch chunk k − 2
        const begin = (k - 2) * chunk, here = Math.min(chunk, length - begin);
        for (let from = 0; from < size; from++) {
          if (from === rank) continue;
          const low = stripe(here, from, size), high = stripe(here, from + 1, size);
          const at = memory.segment(1 - half, from) / 4 + summed;
          result.set(floats.subarray(at, at + high - low), begin + low);
        }
        if (k > chunks) break;
      }
      if (k >= 1) { // sum this rank's stripe of chunk k − 1
        const begin = (k - 1) * chunk, here = Math.min(chunk, length - begin);
        const low = stripe(here, rank, size), high = stripe(here, rank + 1, size);
        const into = memory.segment(half, rank) / 4 + summed;
        for (let at = low; at < high; at += BLOCK) {
          const count = Math.min(BLOCK, high - at), sum = floats.subarray(into + at - low, into + at - low + count);
          const part = (from: number) => {
            const there = from === rank ? begin + at : memory.segment(1 - half, from) / 4 + at;
            return (from === rank ? vector : floats).subarray(there, there + count);
          };
          add(sum, part(0), part(1));
          for (let from = 2; from < size; from++) add(sum, sum, part(from));
        }
        result.set(floats.subarray(into, into + high - low), begin + low);
        traffic.sentBytes += 4 * ((here - (high - low)) + (size - 1) * (high - low));
        traffic.receivedBytes += 4 * ((size - 1) * (high - low) + (here - (high - low)));
      }
      if (k < chunks) { // hand in chunk k, but for what this rank sums itself
        const begin = k * chunk, here = Math.min(chunk, length - begin), into = memory.segment(half, rank) / 4;
        const low = stripe(here, rank, size), high = stripe(here, rank + 1, size);
        floats.set(vector.subarray(begin, begin + low), into);
        floats.set(vector.subarray(begin + high, begin + here), into + high);
      }
      yield* this.#barrier(op);
      if (k === 0) this.#agree(op, half);
    }
    vector.set(result.subarray(0, length));
  }

  /** Writes this rank's header. */
  #announce(op: WireRound["op"], root: number, lengths: readonly number[]): void {
    const { words } = this.#memory, header = this.#memory.header(this.#half, this.rank);
    words[header] = operations.indexOf(op);
    words[header + 1] = root;
    words.set(lengths, header + 2);
    words.fill(0, header + 2 + lengths.length, header + 2 + this.size);
  }

  /** The length of the longest message, after a check that all ranks perform the same round. All see the same headers. */
  #agree(op: WireRound["op"], half: number): number {
    const memory = this.#memory, { words } = memory, first = memory.header(half, 0);
    let longest = 0;
    for (let rank = 0; rank < this.size; rank++) {
      const header = memory.header(half, rank);
      if (words[header] !== words[first]) {
        const [asked, instead] = [operations[words[first]!], operations[words[header]!]];
        throw new Error(`Cannot perform the round: rank 0 asks for ${asked}, rank ${rank} for ${instead}`);
      }
      if (words[header + 1] !== words[first + 1]) {
        const [root, instead] = [words[first + 1], words[header + 1]];
        throw new Error(`Cannot perform ${op}: the root is rank ${root} to rank 0, rank ${instead} to rank ${rank}`);
      }
      if (op === "allReduce" && words[header + 2] !== words[first + 2]) {
        throw new RangeError(
          `Cannot all-reduce: rank ${rank} has ${words[header + 2]! >>> 0} numbers, rank 0 has ${
            words[first + 2]! >>> 0
          }`,
        );
      }
      for (let i = 0; i < this.size; i++) longest = Math.max(longest, words[header + 2 + i]! >>> 0);
    }
    return longest;
  }

  *#barrier(op: WireRound["op"]): Waits<void> {
    const memory = this.#memory;
    if (memory.gate & 1) throw memory.error(`perform ${op}`);
    const before = memory.arrive(this.rank);
    this.#half = 1 - this.#half;
    let last = 0, waited = 0;
    for (;;) {
      const gate = memory.gate;
      if ((gate ^ before) & ~1) return;
      if (gate & 1) throw memory.error(`perform ${op}`);
      const now = performance.now();
      // A process that was stopped for a while, or a thread that was busy, has not waited meanwhile.
      const more = last === 0 ? 0 : Math.min(now - last, 1000);
      last = now;
      waited += more;
      this.#waited += more;
      if (waited >= this.timeout || this.#waited >= this.roundTimeout) {
        const late = memory.late(before), name = waited >= this.timeout ? "timeout" : "roundTimeout";
        if (late.length > 0) {
          const why = `${listed(late)} did not answer within ${this[name] / 1000} s; ${name} raises the limit`;
          memory.giveUp(gate, late[0]!, why, this.rank);
          continue;
        }
      }
      yield gate;
    }
  }

  #part(from: number, length: number): Uint8Array {
    let part = this.#parts[from];
    if (part === undefined || part.length < length) part = this.#parts[from] = new Uint8Array(length);
    return part.subarray(0, length);
  }
}

/** sum := a + b. Four at a time: twice as fast. */
function add(sum: Float32Array, a: Float32Array, b: Float32Array): void {
  const { length } = sum;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    sum[i] = a[i]! + b[i]!;
    sum[i + 1] = a[i + 1]! + b[i + 1]!;
    sum[i + 2] = a[i + 2]! + b[i + 2]!;
    sum[i + 3] = a[i + 3]! + b[i + 3]!;
  }
  for (; i < length; i++) sum[i] = a[i]! + b[i]!;
}
