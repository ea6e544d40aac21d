/**
 * Rounds through shared memory: every rank writes its part into a segment of its own, meets the others at a barrier and
 * reads their segments. The rounds are generators that yield where a rank has to wait, so that one implementation
 * serves threads that may block and threads that must not.
 *
 * The memory has two halves, which successive barriers use in turn. A rank writes into the half of barrier k only after
 * it has passed barrier k − 1, and nobody passes that one before everybody has read the half of barrier k − 2, which is
 * the half of barrier k. Hence one barrier for each exchange is enough, and what was read stays valid until the next
 * exchange.
 *
 * @module
 */

import { checkRound, opNumbered, opOf, rootOf, type RoundOf, sentMessages } from "../ops.ts";
import { addInOrder, segmentStart, wholeBytes } from "../collective/sum.ts";
import type { Traffic, WireRound } from "../round.ts";
import { listed } from "../deadlines.ts";
import type { RoundMemory } from "./round_memory.ts";
import { lossOf, TransportError } from "../transport.ts";

/** A round under way. It yields the gate's word whenever it has to wait for that word to change. */
type Waiting<R> = Generator<number, R, void>;

/** Longer vectors are summed in chunks of this many numbers: 1 MiB, which stays in the caches that the cores share. */
const CHUNK = 1 << 18;
/** A rank adds up blocks of this many numbers: 32 KiB, which stay in a core's nearest cache. */
const BLOCK = 1 << 13;
/** Of the time for which a process was stopped, or a thread busy, so many milliseconds count as waiting. */
const mostWaitedAtOnce = 1000;

/** One rank's side of the rounds of a group. */
export class SharedRounds {
  readonly traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #memory: RoundMemory;
  readonly #floats: Float32Array;
  /**
   * Memory for replies that come in several parts, by sender. A reply may be sent on in the next round: each part of it
   * is overwritten only after it has been sent.
   */
  readonly #replies: Uint8Array[] = [];
  /** What is added up, in rank order. */
  readonly #terms: Float32Array[] = [];
  readonly #chunk: number;
  /** The sum so far: the vector itself must stay as it was if the round fails. */
  #sum = new Float32Array(0);
  #half = 0;
  #closed = false;
  #failure: TransportError | undefined;
  /** How long this rank has waited in this round, in milliseconds. */
  #waited = 0;
  readonly rank: number;
  readonly timeout: number;
  readonly roundTimeout: number;

  constructor(memory: RoundMemory, rank: number, timeout: number, roundTimeout = Infinity) {
    this.#memory = memory;
    this.rank = rank;
    this.timeout = timeout;
    this.roundTimeout = roundTimeout;
    this.#floats = new Float32Array(memory.buffer);
    // A rank's memory for one barrier holds a chunk and this rank's segment of the chunk before it, summed.
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

  /** Leaves the group because of an error, which the others are told. */
  abort(reason: Error): void {
    if (this.#closed) return;
    const { message, rank } = this.#failure = lossOf(reason, this.rank);
    this.#closed = true;
    this.#memory.lose(rank!, `rank ${this.rank} gave up: ${message}`, this.rank);
  }

  /** Performs a round. Views in the reply are valid until the next call. */
  *perform(round: WireRound): Waiting<readonly Uint8Array[]> {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw new TransportError(`Cannot perform ${round.op}: the group is closed`, { rank: this.rank });
    const { rank, size, traffic } = this;
    checkRound(round, size, 2 ** 32 - 1);
    this.#waited = 0;
    let replies: readonly Uint8Array[] = [], encoded = 0;
    if (round.op === "allReduce") {
      if (size > 1) yield* this.#allReduce(round.vector);
      encoded = round.vector.byteLength;
    } else {
      const root = rootOf(round), outgoing = sentMessages(round, rank);
      replies = yield* this.#move(round, root, outgoing);
      for (const { length } of outgoing) encoded += length;
    }
    traffic.rounds++;
    traffic.encodedBytes += encoded;
    return replies;
  }

  /**
   * Every rank writes its messages into columns of its memory, one column for each receiver, or one for all of them,
   * and reads the column that is for it of every sender. Messages that are longer than a column go in parts.
   */
  *#move(
    round: Exclude<WireRound, RoundOf<"allReduce">>,
    root: number | undefined,
    outgoing: readonly Uint8Array[],
  ): Waiting<Uint8Array[]> {
    const memory = this.#memory, { words } = memory, { rank, size, traffic } = this;
    const own = opOf(round.op).reply === "own", column = own ? rank : 0, replies: Uint8Array[] = [];
    const width = own ? Math.floor(memory.capacity / size / 64) * 64 : memory.capacity;
    let longest = 0;
    for (let done = 0; done === 0 || done < longest; done += width) {
      const half = this.#half;
      outgoing.forEach((message, i) => {
        const part = message.subarray(done, done + width);
        memory.view(memory.segment(half, rank) + i * width, part.length).set(part);
      });
      if (done === 0) this.#announce(round, root, outgoing.map(({ length }) => length));
      yield* this.#barrier(round);
      if (done === 0) longest = this.#agree(round, half);
      for (let from = 0, reply = 0; from < size; from++) {
        if (root !== undefined && from !== root) continue;
        const length = done === 0 ? words[memory.header(half, from) + 2 + column]! >>> 0 : replies[reply]!.length;
        const part = memory.view(
          memory.segment(half, from) + column * width,
          Math.max(0, Math.min(width, length - done)),
        );
        if (longest <= width) replies[reply] = part;
        else {
          if (done === 0) replies[reply] = this.#reply(from, length);
          replies[reply]!.set(part, Math.min(done, length));
        }
        if (from !== rank) traffic.receivedBytes += part.length;
        reply++;
      }
    }
    outgoing.forEach(({ length }, to) => {
      traffic.sentBytes += own ? (to === rank ? 0 : length) : length * (size - 1);
    });
    return replies;
  }

  /**
   * The vector becomes the sum over ranks, in rank order, whoever adds. A short vector is summed whole by every rank. A
   * longer one goes in chunks, and at each barrier a rank does three things: it hands in chunk k, it sums its own
   * segment of chunk k − 1, and it fetches the other ranks' segments of chunk k − 2.
   */
  *#allReduce(vector: Float32Array): Waiting<void> {
    const round = { op: "allReduce", vector } as const, { length } = vector, chunk = this.#chunk;
    this.#announce(round, undefined, [length]);
    if (length <= Math.min(wholeBytes / 4, chunk)) return yield* this.#sumWhole(round);
    if (this.#sum.length < length) this.#sum = new Float32Array(length);
    const chunks = Math.ceil(length / chunk);
    for (let k = 0; k <= chunks + 1; k++) {
      const half = this.#half;
      if (k >= 2) this.#fetch(length, k - 2, 1 - half);
      if (k > chunks) break;
      if (k >= 1) this.#sumSegment(vector, k - 1, 1 - half, half);
      if (k < chunks) this.#handIn(vector, k, half);
      yield* this.#barrier(round);
      if (k === 0) this.#agree(round, half);
    }
    vector.set(this.#sum.subarray(0, length));
  }

  *#sumWhole(round: RoundOf<"allReduce">): Waiting<void> {
    const memory = this.#memory, floats = this.#floats, { rank, size, traffic } = this, { vector } = round;
    const half = this.#half, start = (rank: number) => memory.segment(half, rank) / 4;
    floats.set(vector, start(rank));
    yield* this.#barrier(round);
    this.#agree(round, half);
    for (let from = 0; from < size; from++) {
      this.#terms[from] = floats.subarray(start(from), start(from) + vector.length);
    }
    addInOrder(this.#terms, vector);
    traffic.sentBytes += (size - 1) * vector.byteLength;
    traffic.receivedBytes += (size - 1) * vector.byteLength;
  }

  /** Where chunk k begins in a vector, its length, and where the segment of `rank` begins and ends in the chunk. */
  #chunkAt(k: number, length: number, rank: number): { begin: number; here: number; low: number; high: number } {
    const begin = k * this.#chunk, here = Math.min(this.#chunk, length - begin), { size } = this;
    return { begin, here, low: segmentStart(here, rank, size), high: segmentStart(here, rank + 1, size) };
  }

  /** Where the sum of a rank's segment lies, in floats: behind the chunk that it hands in. */
  #summed(half: number, rank: number): number {
    const { capacity, size } = this.#memory;
    return this.#memory.segment(half, rank) / 4 + capacity / 4 - Math.ceil(this.#chunk / size);
  }

  /** Hands in chunk k of the vector, but for the segment that this rank sums itself. */
  #handIn(vector: Float32Array, k: number, half: number): void {
    const { begin, here, low, high } = this.#chunkAt(k, vector.length, this.rank);
    const into = this.#memory.segment(half, this.rank) / 4;
    this.#floats.set(vector.subarray(begin, begin + low), into);
    this.#floats.set(vector.subarray(begin + high, begin + here), into + high);
  }

  /** Sums this rank's segment of chunk k from what the others have handed in, and hands in the sum. */
  #sumSegment(vector: Float32Array, k: number, from: number, to: number): void {
    const memory = this.#memory, floats = this.#floats, { rank, size, traffic } = this;
    const { begin, here, low, high } = this.#chunkAt(k, vector.length, rank), into = this.#summed(to, rank);
    for (let at = low; at < high; at += BLOCK) {
      const count = Math.min(BLOCK, high - at), sum = into + at - low;
      for (let peer = 0; peer < size; peer++) {
        const start = peer === rank ? begin + at : memory.segment(from, peer) / 4 + at;
        this.#terms[peer] = (peer === rank ? vector : floats).subarray(start, start + count);
      }
      addInOrder(this.#terms, floats.subarray(sum, sum + count));
    }
    this.#sum.set(floats.subarray(into, into + high - low), begin + low);
    traffic.sentBytes += 4 * ((here - (high - low)) + (size - 1) * (high - low));
    traffic.receivedBytes += 4 * ((size - 1) * (high - low) + (here - (high - low)));
  }

  /** Fetches the segments of chunk k that the other ranks have summed. */
  #fetch(length: number, k: number, half: number): void {
    for (let from = 0; from < this.size; from++) {
      if (from === this.rank) continue;
      const { begin, low, high } = this.#chunkAt(k, length, from), at = this.#summed(half, from);
      this.#sum.set(this.#floats.subarray(at, at + high - low), begin + low);
    }
  }

  /** Writes this rank's header: op, root, then lengths, of which absent ones are 0. */
  #announce({ op }: WireRound, root: number | undefined, lengths: readonly number[]): void {
    const { words } = this.#memory, header = this.#memory.header(this.#half, this.rank);
    words[header] = opOf(op).sharedNumber;
    words[header + 1] = root ?? 0;
    words.set(lengths, header + 2);
    words.fill(0, header + 2 + lengths.length, header + 2 + this.size);
  }

  /**
   * Checks that all ranks perform the same round. All of them see the same headers, so that all come to one result.
   *
   * @returns the length of the longest message
   */
  #agree({ op }: WireRound, half: number): number {
    const memory = this.#memory, { words } = memory, first = memory.header(half, 0);
    const name = (header: number) => opNumbered(words[header]!, "sharedNumber");
    let longest = 0;
    for (let rank = 0; rank < this.size; rank++) {
      const header = memory.header(half, rank);
      if (words[header] !== words[first]) {
        throw new Error(
          `Cannot perform the round: rank 0 asks for ${name(first)}, rank ${rank} for ${name(header)}`,
        );
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

  /** Waits until all ranks have arrived, and changes to the other half. */
  *#barrier({ op }: WireRound): Waiting<void> {
    const memory = this.#memory;
    if (memory.gate & 1) throw memory.error(`perform ${op}`);
    const before = memory.arrive(this.rank);
    this.#half = 1 - this.#half;
    let last = 0, waited = 0;
    for (;;) {
      const gate = memory.gate;
      if ((gate ^ before) & ~1) return;
      if (gate & 1) throw memory.error(`perform ${op}`);
      const now = performance.now(), more = last === 0 ? 0 : Math.min(now - last, mostWaitedAtOnce);
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

  #reply(from: number, length: number): Uint8Array {
    let reply = this.#replies[from];
    if (reply === undefined || reply.length < length) reply = this.#replies[from] = new Uint8Array(length);
    return reply.subarray(0, length);
  }
}
