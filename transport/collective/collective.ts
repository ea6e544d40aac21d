/**
 * Rounds over a transport: who sends what to whom.
 *
 * All ranks are connected with one another, so that every collective is a direct exchange: one hop, or two, whatever
 * the size of the group. The bytes are those of a ring (each rank sends its message, or 2(n−1)/n of the vector, and no
 * algorithm sends less), the hops are not n−1, and the sum is taken in rank order, as {@link performTogether} takes it:
 * a run has the same bits in one thread, between workers and over TCP.
 *
 * @module
 */

import { checkDeadlines, type Deadlines } from "../deadlines.ts";
import { checkOptions, show } from "../../options.ts";
import { Waits } from "./waits.ts";
import type { Collective, Traffic, WireRound } from "../round.ts";
import { bytesOf, checkRound, encodedBytes, floatsOf, opNumbered } from "../ops.ts";
import { addInOrder, segmentStart, wholeBytes } from "./sum.ts";
import { lossOf, type Transport, TransportError } from "../transport.ts";

/** Options of {@link collective}. */
export interface CollectiveOptions extends Omit<Deadlines, "connectTimeout"> {
  /** The longest message that is sent or accepted, in bytes. Default 2³⁰. */
  readonly maxMessageBytes?: number;
}

/** What precedes the payload of each message: op, phase, two zero bytes; round, length, extra as u32. */
export const headerBytes = 16;
/** A message goes in packets of at most this many bytes of payload; the first carries the header too. */
export const chunkBytes = 1 << 18;
const none: readonly Uint8Array[] = [];

/**
 * A group of ranks over a transport, which it owns: disposing of the group disposes of the transport.
 *
 * With n ranks and `wire(b) = b + 16 + f·max(1, ⌈b / 262 144⌉)` for a message of b bytes, f being the transport's framing
 * per packet (8 over TCP), a rank sends
 *
 * - allGather: `(n−1) · wire(its message)`, in one hop;
 * - allToAll: the sum of `wire(message)` over the messages to others, in one hop;
 * - allReduce of d floats: up to 32 KiB, `(n−1) · wire(4d)`, in one hop; longer, rank p is responsible for the
 *   coordinates ⌊dp/n⌋ to ⌊d(p+1)/n⌋: the sum of `wire(4 dₚ)` over the others and then `(n−1) · wire(4 dₘₑ)`, in two;
 * - broadcast: `wire(message)` to each child in the binomial tree, in ⌈log₂ n⌉ hops, packet by packet.
 *
 * A failed round leaves the vector as it was and ends the group: every rank then throws an error that names the same rank.
 * When that happens in the middle of a round, some ranks may have finished it and some not; they are never more than one
 * round apart, but for the root of a broadcast, which waits for nobody.
 *
 * @throws {RangeError} if an option is out of range
 * @throws {TypeError} if an option is unknown
 * @example
 * ```ts
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const groups = memory(3).map((transport) => collective(transport));
 * const vectors = groups.map(({ rank }) => Float32Array.of(rank, 1));
 * await Promise.all(groups.map((group, rank) => group.perform({ op: "allReduce", vector: vectors[rank]! })));
 * console.assert(vectors.every((vector) => vector.join() === "3,3"));
 * ```
 */
export function collective(transport: Transport, options: CollectiveOptions = {}): Collective {
  checkOptions("make a group", options, ["timeout", "roundTimeout", "maxMessageBytes"]);
  const exchanger = new Exchanger(transport, options);
  return {
    rank: transport.rank,
    size: transport.size,
    traffic: exchanger.traffic,
    async perform(round) {
      const replies = await exchanger.perform(round);
      if (round.op !== "allReduce") return replies;
      round.vector.set(floatsOf(replies[0]!));
      return none;
    },
    abort: (reason) => exchanger.abort(reason),
    [Symbol.asyncDispose]: () => exchanger.close(),
  };
}

/** Performs rounds; the reply of an all-reduce is the sum's bytes. The comm worker uses it directly. */
export class Exchanger {
  readonly traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #transport: Transport;
  readonly #waits: Waits;
  readonly #maxMessageBytes: number;
  readonly #framing: number;
  readonly #peers: readonly number[];
  readonly #frames: Uint8Array[];
  readonly #parts: Float32Array[];
  readonly #reserve: (byteLength: number) => Uint8Array | Promise<Uint8Array>;
  #busy = false;
  #failure: TransportError | undefined;

  /** @param reserve returns the memory of a round's replies, aligned to 16 bytes; it is asked once per round */
  constructor(
    transport: Transport,
    options: CollectiveOptions,
    reserve: (byteLength: number) => Uint8Array | Promise<Uint8Array> = growing(),
  ) {
    const { maxMessageBytes = 2 ** 30 } = options;
    checkDeadlines("make a group", options);
    if (!(Number.isInteger(maxMessageBytes) && maxMessageBytes > 0 && maxMessageBytes < 2 ** 32)) {
      throw new RangeError(
        `Cannot make a group: maxMessageBytes must be an integer from 1 to 2^32 - 1, received ${maxMessageBytes}`,
      );
    }
    if (typeof transport?.send !== "function" || typeof transport.receive !== "function") {
      throw new TypeError(
        `Cannot make a group: the transport is ${show(transport)}, expected one such as memory(1)[0]`,
      );
    }
    const { rank, size } = transport;
    this.#transport = transport;
    this.#waits = new Waits(transport, options);
    this.#maxMessageBytes = maxMessageBytes;
    this.#framing = transport.framing ?? 0;
    // Each rank begins with its right neighbour, so that not all of them send to rank 0 first.
    this.#peers = Array.from({ length: size - 1 }, (_, i) => (rank + 1 + i) % size);
    this.#frames = Array.from({ length: size }, () => new Uint8Array(0));
    this.#parts = Array.from({ length: size }, () => new Float32Array(0));
    this.#reserve = reserve;
  }

  async perform(round: WireRound): Promise<readonly Uint8Array[]> {
    const { rank, size } = this.#transport;
    if (this.#failure) throw this.#failure;
    if (this.#busy) {
      throw new TypeError(`Cannot perform ${round.op}: the round before has not ended; await what began it`);
    }
    checkRound(round, size, this.#maxMessageBytes);
    this.#busy = true;
    this.traffic.rounds++;
    this.traffic.encodedBytes += encodedBytes(round, rank);
    try {
      return await (size === 1 ? this.#run(round) : this.#waits.within(round, this.traffic.rounds, this.#run(round)));
    } catch (error) {
      const failure = this.#failure ??= error instanceof TransportError
        ? error
        : new TransportError(`Cannot finish ${round.op}: ${error instanceof Error ? error.message : error}`, {
          rank,
          cause: error,
        });
      await this.#abort(failure);
      throw failure;
    } finally {
      this.#busy = false;
    }
  }

  /** Ends the group and tells the peers why, unless it has failed already. */
  async abort(reason: Error): Promise<void> {
    if (this.#failure) return;
    this.#failure = lossOf(reason, this.#transport.rank);
    await this.#abort(this.#failure);
  }

  async close(): Promise<void> {
    const { rank } = this.#transport;
    this.#failure ??= new TransportError(`Cannot perform a round: rank ${rank} has left the group`, { rank });
    await this.#transport[Symbol.asyncDispose]();
  }

  /** The peers are told before this rank's caller, which may end the process; but nobody waits for deaf ones. */
  async #abort(failure: TransportError): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const told = async () => {
      try {
        await (this.#transport.abort?.(failure) ?? this.#transport[Symbol.asyncDispose]());
      } catch {
        // The group has failed already, and that is what its caller is told.
      }
    };
    await Promise.race([told(), new Promise((resolve) => timer = setTimeout(resolve, 1000))]);
    clearTimeout(timer);
  }

  #run(round: WireRound): Promise<readonly Uint8Array[]> {
    switch (round.op) {
      case "allGather":
        return this.#allGather(round.message);
      case "allToAll":
        return this.#allToAll(round.messages);
      case "allReduce":
        return this.#allReduce(round.vector);
      case "broadcast":
        return this.#broadcast(round.root, round.message);
    }
  }

  async #allGather(message: Uint8Array): Promise<readonly Uint8Array[]> {
    const head: Head = { op: 1, phase: 0, extra: 0 };
    const [replies] = await Promise.all([
      this.#collect(head, (lengths) => this.#layOut(lengths, message.byteLength)),
      this.#sendToAll(head, message),
    ]);
    replies[this.#transport.rank]!.set(message);
    return replies;
  }

  async #allToAll(messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const head: Head = { op: 2, phase: 0, extra: 0 }, own = messages[this.#transport.rank]!;
    const [replies] = await Promise.all([
      this.#collect(head, (lengths) => this.#layOut(lengths, own.byteLength)),
      ...this.#peers.map((to) => this.#send(to, head, messages[to]!)),
    ]);
    replies[this.#transport.rank]!.set(own);
    return replies;
  }

  async #allReduce(vector: Float32Array): Promise<readonly Uint8Array[]> {
    const { rank, size } = this.#transport, source = bytesOf(vector);
    const target = await this.#reserve(source.byteLength), sum = floatsOf(target);
    const head: Head = { op: 3, phase: 0, extra: vector.length };
    if (size === 1) {
      sum.set(vector);
    } else if (source.byteLength <= wholeBytes) {
      await Promise.all([this.#addUp(head, vector, sum), this.#sendToAll(head, source)]);
    } else {
      const start = (rank: number) => segmentStart(vector.length, rank, size),
        first = start(rank),
        end = start(rank + 1);
      const gather: Head = { op: 3, phase: 1, extra: vector.length };
      // The sum of this rank's own coordinates; then the sums of all of them.
      await Promise.all([
        this.#addUp(head, vector.subarray(first, end), sum.subarray(first, end)),
        ...this.#peers.map((to) => this.#send(to, head, source.subarray(4 * start(to), 4 * start(to + 1)))),
      ]);
      await Promise.all([
        this.#collect(gather, (lengths) =>
          lengths.map((length, p) => {
            const place = target.subarray(4 * start(p), 4 * start(p + 1));
            if (p !== rank && length !== place.byteLength) throw this.#unequal(p, length, place.byteLength);
            return place;
          })),
        this.#sendToAll(gather, target.subarray(4 * first, 4 * end)),
      ]);
    }
    return [target];
  }

  async #broadcast(root: number, message: Uint8Array): Promise<readonly Uint8Array[]> {
    const { rank, size } = this.#transport, { parent, children } = tree(rank, root, size);
    const head: Head = { op: 4, phase: 0, extra: root };
    this.#waits.away(bitCount((rank - root + size) % size));
    if (parent === undefined) {
      await Promise.all(children.map((to) => this.#send(to, head, message)));
      const reply = await this.#reserve(message.byteLength);
      reply.set(message);
      return [reply];
    }
    const { length, payload } = await this.#receiveHead(parent, head);
    const reply = await this.#reserve(length);
    reply.set(payload);
    let received = payload.byteLength;
    await Promise.all(children.map((to) => this.#sendPacket(to, this.#frame(to, head, reply, length))));
    while (received < length) {
      const next = await this.#receiveNext(parent, length - received);
      reply.set(next, received);
      const passed = reply.subarray(received, received + next.byteLength);
      await Promise.all(children.map((to) => this.#sendPacket(to, passed)));
      received += next.byteLength;
    }
    return [reply];
  }

  /** sum := the sum of `own` and of as many numbers from every peer, in rank order. */
  async #addUp(head: Head, own: Float32Array, sum: Float32Array): Promise<void> {
    const { rank } = this.#transport, parts = this.#parts, expected = own.byteLength;
    for (let done = 0; done === 0 || done < own.length;) {
      const left = expected - 4 * done;
      await Promise.all(this.#peers.map(async (from) => {
        let part;
        if (done === 0) {
          const { length, payload } = await this.#receiveHead(from, head);
          if (length !== expected) throw this.#unequal(from, length, expected);
          part = payload;
        } else part = await this.#receiveNext(from, left);
        parts[from] = floatsOf(part);
      }));
      const count = Math.min(own.length - done, chunkBytes / 4);
      if (count === 0) return;
      parts[rank] = own.subarray(done, done + count);
      addInOrder(parts, sum.subarray(done, done + count));
      done += count;
    }
  }

  /** One message from every peer, each into the place that `place` gives it once all lengths are known. */
  async #collect(
    head: Head,
    place: (lengths: number[]) => Uint8Array[] | Promise<Uint8Array[]>,
  ): Promise<readonly Uint8Array[]> {
    const lengths = new Array<number>(this.#transport.size).fill(0);
    const firsts = await Promise.all(this.#peers.map(async (from) => {
      const { length, payload } = await this.#receiveHead(from, head);
      lengths[from] = length;
      return payload;
    }));
    const places = await place(lengths);
    await Promise.all(this.#peers.map(async (from, i) => {
      const target = places[from]!, first = firsts[i]!;
      target.set(first);
      for (let received = first.byteLength; received < target.byteLength;) {
        const next = await this.#receiveNext(from, target.byteLength - received);
        target.set(next, received);
        received += next.byteLength;
      }
    }));
    return places;
  }

  /** Room for messages of these lengths, each aligned to 16 bytes. */
  async #layOut(lengths: number[], own: number): Promise<Uint8Array[]> {
    lengths[this.#transport.rank] = own;
    const memory = await this.#reserve(lengths.reduce((sum, length) => sum + aligned(length), 0));
    let end = 0;
    return lengths.map((length) => {
      const start = end;
      end += aligned(length);
      return memory.subarray(start, start + length);
    });
  }

  async #sendToAll(head: Head, message: Uint8Array): Promise<void> {
    const first = this.#frame(this.#transport.rank, head, message, message.byteLength);
    await Promise.all(this.#peers.map((to) => this.#sendRest(to, first, message)));
  }

  #send(to: number, head: Head, message: Uint8Array): Promise<void> {
    return this.#sendRest(to, this.#frame(to, head, message, message.byteLength), message);
  }

  async #sendRest(to: number, first: Uint8Array, message: Uint8Array): Promise<void> {
    await this.#sendPacket(to, first);
    for (let sent = chunkBytes; sent < message.byteLength; sent += chunkBytes) {
      await this.#sendPacket(to, message.subarray(sent, sent + chunkBytes));
    }
  }

  async #sendPacket(to: number, packet: Uint8Array): Promise<void> {
    this.#waits.sends(to);
    await this.#transport.send(to, packet);
    this.#waits.sent(to);
    this.traffic.sentBytes += packet.byteLength + this.#framing;
  }

  /** The first packet of a message: header and as much payload as fits, in a buffer that belongs to `slot`. */
  #frame(slot: number, { op, phase, extra }: Head, message: Uint8Array, length: number): Uint8Array {
    const first = Math.min(length, chunkBytes), end = headerBytes + first;
    let frame = this.#frames[slot]!;
    if (frame.byteLength < end) frame = this.#frames[slot] = new Uint8Array(grown(end));
    const view = new DataView(frame.buffer);
    view.setUint32(0, op | phase << 8, true);
    view.setUint32(4, this.traffic.rounds, true);
    view.setUint32(8, length, true);
    view.setUint32(12, extra, true);
    frame.set(message.subarray(0, first), headerBytes);
    return frame.subarray(0, end);
  }

  async #receiveHead(from: number, expected: Head): Promise<{ length: number; payload: Uint8Array }> {
    const packet = await this.#receivePacket(from), { rounds } = this.traffic;
    const error = (why: string) =>
      new TransportError(`Cannot perform ${opNumbered(expected.op)}: ${why}`, { rank: from });
    if (packet.byteLength < headerBytes) throw error(`rank ${from} sent ${packet.byteLength} bytes, not a header`);
    const view = new DataView(packet.buffer, packet.byteOffset, headerBytes);
    const tag = view.getUint32(0, true), length = view.getUint32(8, true), extra = view.getUint32(12, true);
    const op = tag & 0xff, round = view.getUint32(4, true);
    if (tag >>> 16 !== 0 || opNumbered(op) === undefined) throw error(`rank ${from} sent what is not ours`);
    if (op !== expected.op || round !== rounds >>> 0) {
      throw error(`this rank is in round ${rounds}, rank ${from} in round ${round} (${opNumbered(op)})`);
    }
    if (extra !== expected.extra) {
      throw op === 3
        ? error(`this rank has ${expected.extra} numbers, rank ${from} has ${extra}`)
        : error(`this rank expects root ${expected.extra}, rank ${from} root ${extra}`);
    }
    if (tag >>> 8 !== expected.phase) throw error(`rank ${from} sent phase ${tag >>> 8} instead of ${expected.phase}`);
    if (length > this.#maxMessageBytes) {
      throw error(`rank ${from} sent a message of ${length} bytes, agreed are at most ${this.#maxMessageBytes}`);
    }
    const first = Math.min(length, chunkBytes), payload = packet.subarray(headerBytes);
    if (payload.byteLength !== first) {
      throw error(`rank ${from} sent a packet of ${payload.byteLength} bytes, agreed are ${first}`);
    }
    return { length, payload };
  }

  /** The next packet of a message of which `left` bytes have not been received. */
  async #receiveNext(from: number, left: number): Promise<Uint8Array> {
    const packet = await this.#receivePacket(from), agreed = Math.min(left, chunkBytes);
    if (packet.byteLength === agreed) return packet;
    throw new TransportError(
      `Cannot go on: rank ${from} sent a packet of ${packet.byteLength} bytes, agreed are ${agreed}`,
      { rank: from },
    );
  }

  async #receivePacket(from: number): Promise<Uint8Array> {
    this.#waits.awaits(from);
    const packet = await this.#transport.receive(from);
    this.#waits.received(from);
    this.traffic.receivedBytes += packet.byteLength + this.#framing;
    return packet;
  }

  #unequal(from: number, theirs: number, mine: number): TransportError {
    return new TransportError(
      `Cannot perform allReduce: rank ${from} sent ${theirs} bytes, ${mine} were expected`,
      { rank: from },
    );
  }
}

interface Head {
  readonly op: 1 | 2 | 3 | 4;
  readonly phase: number;
  readonly extra: number;
}

/** The place of `rank` in the binomial tree of `root`: with bits counted from the root, the parent clears the lowest. */
export function tree(rank: number, root: number, size: number): { parent: number | undefined; children: number[] } {
  const place = (rank - root + size) % size, children: number[] = [];
  const low = place === 0 ? size : place & -place;
  for (let bit = 1; bit < low && place + bit < size; bit *= 2) children.unshift((place + bit + root) % size);
  return { parent: place === 0 ? undefined : (place - low + root) % size, children };
}

function bitCount(value: number): number {
  let count = 0;
  for (; value > 0; value &= value - 1) count++;
  return count;
}

function aligned(length: number): number {
  return Math.ceil(length / 16) * 16;
}

/** At least `length`, with room to grow, so that a slowly growing message does not allocate each time. */
function grown(length: number): number {
  return Math.ceil(length * 1.25 / 64) * 64;
}

function growing(): (byteLength: number) => Uint8Array {
  let memory = new Uint8Array(0);
  return (byteLength) => {
    if (memory.byteLength < byteLength) memory = new Uint8Array(grown(byteLength));
    return memory.subarray(0, byteLength);
  };
}
