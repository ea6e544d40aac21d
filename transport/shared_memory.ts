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

import { checkRound, segment as stripe, wholeBytes } from "./collective.ts";
import { encodedBytes, type Traffic, type WireRound } from "./round.ts";
import { listed } from "./rendezvous.ts";
import { lossOf, TransportError } from "./transport.ts";

/** Yields what the gate word was when the rank began to wait; returns when the wait is over. */
export type Waits<R> = Generator<number, R, void>;

/** Words of 32 bits. What different ranks write lies in different cache lines of 64 bytes. */
const LINE = 16;
/** Twice the number of the barrier passed last, plus one as soon as a rank is lost. The only word ever waited on. */
const GATE = 0;
/** How many ranks have arrived at the next barrier. */
const ARRIVALS = LINE;
/** 1 + the rank that recorded the loss; the rank that was lost; the length of the text that says why; the text. */
const REPORTER = 2 * LINE, LOST = REPORTER + 1, WHY_LENGTH = REPORTER + 2, WHY = 3 * LINE, WHY_BYTES = 512;
/** A line per rank: the number of the barrier at which it arrived last. */
const ARRIVED = WHY + WHY_BYTES / 4;

const operations = ["allGather", "allToAll", "allReduce", "broadcast"] as const;

/** Vectors of up to this many floats are summed whole by every rank: one barrier instead of two. */
const SMALL = wholeBytes / 4;
/** Larger ones go in chunks of this many floats, which stay in the caches of the cores. */
const CHUNK = 1 << 18;
/** Of more than two ranks, blocks of this many floats are added up, which stay in a core's nearest cache. */
const BLOCK = 1 << 13;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** The layout of the memory of a group: control words, two halves of headers, two halves of data. */
export class SharedMemory {
  readonly buffer: SharedArrayBuffer;
  readonly size: number;
  readonly capacity: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #headers: number;
  readonly #headerLength: number;
  readonly #data: number;

  /** The bytes that a group of `size` ranks with segments of `capacity` bytes needs. Zeroed, it is ready for use. */
  static byteLength(size: number, capacity: number): number {
    return new SharedMemory(new SharedArrayBuffer(0), size, capacity).#data + 2 * size * capacity;
  }

  constructor(buffer: SharedArrayBuffer, size: number, capacity: number) {
    this.buffer = buffer;
    this.size = size;
    this.capacity = capacity;
    this.#headers = ARRIVED + size * LINE;
    this.#headerLength = Math.ceil((2 + size) / LINE) * LINE;
    this.#data = 4 * (this.#headers + 2 * size * this.#headerLength);
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  get words(): Int32Array {
    return this.#words;
  }

  /** Where a rank's header of that half begins, in words: operation, root, then lengths. */
  header(half: number, rank: number): number {
    return this.#headers + (half * this.size + rank) * this.#headerLength;
  }

  /** Where a rank's segment of that half begins, in bytes. */
  segment(half: number, rank: number): number {
    return this.#data + (half * this.size + rank) * this.capacity;
  }

  /** A view of the buffer. */
  view(at: number, length: number): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  get gate(): number {
    return Atomics.load(this.#words, GATE);
  }

  /** Counts this rank in; the last one opens the gate, unless a rank is lost. Returns the gate as it was before. */
  arrive(rank: number): number {
    const before = this.gate & ~1;
    Atomics.store(this.#words, ARRIVED + rank * LINE, (before >> 1) + 1);
    if (Atomics.add(this.#words, ARRIVALS, 1) + 1 === this.size) {
      Atomics.store(this.#words, ARRIVALS, 0);
      Atomics.compareExchange(this.#words, GATE, before, before + 2);
      Atomics.notify(this.#words, GATE);
    }
    return before;
  }

  /** The ranks that have not arrived at the barrier behind the gate. */
  late(gate: number): number[] {
    return Array.from({ length: this.size }, (_, rank) => rank)
      .filter((rank) => Atomics.load(this.#words, ARRIVED + rank * LINE) !== (gate >> 1) + 1);
  }

  /** Records that a rank is lost, unless a loss is recorded already, and wakes everyone. */
  lose(lost: number, why: string, reporter: number): void {
    // Another rank may be about to record a loss, or to find that there is none.
    for (let looks = 0; looks < 1e6 && (this.gate & 1) === 0; looks++) {
      if (!this.#claim(lost, why, reporter)) continue;
      Atomics.or(this.#words, GATE, 1);
      Atomics.notify(this.#words, GATE);
    }
  }

  /**
   * Records that a rank is late, if the gate is still what it was: then nobody passes that barrier, so that a round fails
   * for all ranks or for none.
   */
  giveUp(gate: number, late: number, why: string, reporter: number): void {
    if (!this.#claim(late, why, reporter)) return;
    if (Atomics.compareExchange(this.#words, GATE, gate, gate | 1) !== gate) Atomics.store(this.#words, REPORTER, 0);
    Atomics.notify(this.#words, GATE);
  }

  #claim(lost: number, why: string, reporter: number): boolean {
    if (Atomics.compareExchange(this.#words, REPORTER, 0, reporter + 1) !== 0) return false;
    const text = encoder.encode(why).subarray(0, WHY_BYTES);
    this.#bytes.set(text, 4 * WHY);
    this.#words[LOST] = lost;
    this.#words[WHY_LENGTH] = text.length;
    return true;
  }

  /** The loss that is recorded, as an error. */
  error(doing: string): TransportError {
    const why = decoder.decode(this.#bytes.slice(4 * WHY, 4 * WHY + this.#words[WHY_LENGTH]!));
    return new TransportError(`Cannot ${doing}: ${why}`, { rank: this.#words[LOST]! });
  }

  /** Blocks while the gate is what it was, or a short while. Looks `spins` times before it gives the core away. */
  sleep(gate: number, spins: number): void {
    for (let i = 0; i < spins; i++) if (Atomics.load(this.#words, GATE) !== gate) return;
    Atomics.wait(this.#words, GATE, gate, 50);
  }
}

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
