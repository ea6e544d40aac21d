/**
 * What an algorithm of a collective works with: whole messages between this rank and the others, each with a header
 * that says what it is for. The channel compares headers, counts bytes, and tells the deadlines whom this rank waits
 * for.
 *
 * @module
 */

import { faultOf, headerBytes, lengthIn, packetBytes, type Tag, writeHeader } from "./header.ts";
import { floatsOf } from "../ops.ts";
import type { RoundDeadlines } from "./round_deadlines.ts";
import type { Traffic } from "../round.ts";
import { addInOrder } from "./sum.ts";
import { type Transport, TransportError } from "../transport.ts";

/** Returns memory for the replies of a round, aligned to 16 bytes. An algorithm asks once in a round. */
export type Reserve = (byteLength: number) => Uint8Array | Promise<Uint8Array>;

/** The first bytes of a message, and the length of the whole of it. */
interface Beginning {
  readonly length: number;
  readonly payload: Uint8Array;
}

/** One rank's side of a group's messages. Bytes that it returns are valid until the next message from that rank. */
export class Channel {
  readonly rank: number;
  readonly size: number;
  /** The other ranks, from the right neighbour on: if all began with rank 0, it would have to serve all at once. */
  readonly peers: readonly number[];
  readonly traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly reserve: Reserve;
  readonly #transport: Transport;
  readonly #deadlines: RoundDeadlines;
  readonly #maxMessageBytes: number;
  readonly #framing: number;
  /** Memory for first packets: for each peer its own, and in this rank's place one that goes to all of them. */
  readonly #packets: Uint8Array[];
  /** What is added up, in rank order. */
  readonly #terms: Float32Array[];

  constructor(transport: Transport, deadlines: RoundDeadlines, maxMessageBytes: number, reserve: Reserve) {
    const { rank, size } = transport;
    this.rank = rank;
    this.size = size;
    this.peers = Array.from({ length: size - 1 }, (_, i) => (rank + 1 + i) % size);
    this.reserve = reserve;
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#maxMessageBytes = maxMessageBytes;
    this.#framing = transport.framing ?? 0;
    this.#packets = Array.from({ length: size }, () => new Uint8Array(0));
    this.#terms = Array.from({ length: size }, () => new Float32Array(0));
  }

  /**
   * Says that in this round a rank waits for one that waits for others itself, and so on, up to the rank so many hops
   * away. Its deadline is put off accordingly, so that who waits for the culprit itself is the first to name it.
   */
  waitsAcross(hops: number): void {
    this.#deadlines.waitsAcross(hops);
  }

  /** Sends a message to one rank. Resolves when the message may be reused. */
  async send(to: number, tag: Tag, message: Uint8Array): Promise<void> {
    await this.#sendPacket(to, this.#first(to, tag, message, message.byteLength));
    await this.#sendRest(to, message);
  }

  /** Sends one message to all other ranks. */
  async sendToAll(tag: Tag, message: Uint8Array): Promise<void> {
    if (this.size === 1) return;
    const first = this.#first(this.rank, tag, message, message.byteLength);
    await Promise.all(this.peers.map(async (to) => {
      await this.#sendPacket(to, first);
      await this.#sendRest(to, message);
    }));
  }

  /** Receives the first packet of a message. Its other packets are received by `receiveNext`. */
  async receiveFirst(from: number, tag: Tag): Promise<Beginning> {
    const packet = await this.#receivePacket(from);
    const fault = faultOf(packet, from, tag, this.traffic.rounds, this.#maxMessageBytes);
    if (fault !== undefined) throw new TransportError(`Cannot perform ${tag.op}: ${fault}`, { rank: from });
    return { length: lengthIn(packet), payload: packet.subarray(headerBytes) };
  }

  /** Receives the next packet of a message of which `left` bytes have not been received. */
  async receiveNext(from: number, left: number): Promise<Uint8Array> {
    const packet = await this.#receivePacket(from), agreed = Math.min(left, packetBytes);
    if (packet.byteLength === agreed) return packet;
    throw new TransportError(
      `Cannot go on: rank ${from} sent a packet of ${packet.byteLength} bytes, agreed are ${agreed}`,
      { rank: from },
    );
  }

  /** Receives a message as long as `target` into it. */
  async receive(from: number, tag: Tag, target: Uint8Array): Promise<void> {
    const { length, payload } = await this.receiveFirst(from, tag);
    if (length !== target.byteLength) throw this.#unequal(from, tag, length, target.byteLength);
    await this.#fill(from, target, payload);
  }

  /** Receives one message from every other rank, each into the place that `placesFor` gives for the lengths. */
  async receiveFromAll(
    tag: Tag,
    placesFor: (lengths: number[]) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>,
  ): Promise<readonly Uint8Array[]> {
    const lengths = new Array<number>(this.size).fill(0);
    const firsts = await Promise.all(this.peers.map(async (from) => {
      const { length, payload } = await this.receiveFirst(from, tag);
      lengths[from] = length;
      return payload;
    }));
    const places = await placesFor(lengths);
    for (const from of this.peers) {
      const length = lengths[from]!, expected = places[from]!.byteLength;
      if (length !== expected) throw this.#unequal(from, tag, length, expected);
    }
    await Promise.all(this.peers.map((from, i) => this.#fill(from, places[from]!, firsts[i]!)));
    return places;
  }

  /** Memory for a reply of messages of these lengths. */
  async reserveEach(lengths: readonly number[]): Promise<Uint8Array[]> {
    const memory = await this.reserve(lengths.reduce((sum, length) => sum + aligned(length), 0));
    let end = 0;
    return lengths.map((length) => {
      const start = end;
      end += aligned(length);
      return memory.subarray(start, start + length);
    });
  }

  /** sum := the sum over ranks, in rank order, of `own` and of a message of as many numbers from every other rank. */
  async receiveSum(tag: Tag, own: Float32Array, sum: Float32Array): Promise<void> {
    const terms = this.#terms, expected = own.byteLength;
    for (let done = 0; done === 0 || done < own.length;) {
      const left = expected - 4 * done;
      await Promise.all(this.peers.map(async (from) => {
        let part;
        if (done === 0) {
          const { length, payload } = await this.receiveFirst(from, tag);
          if (length !== expected) throw this.#unequal(from, tag, length, expected);
          part = payload;
        } else part = await this.receiveNext(from, left);
        terms[from] = floatsOf(part);
      }));
      const count = Math.min(own.length - done, packetBytes / 4);
      if (count === 0) return;
      terms[this.rank] = own.subarray(done, done + count);
      addInOrder(terms, sum.subarray(done, done + count));
      done += count;
    }
  }

  /**
   * Receives a message and hands it on, packet by packet.
   *
   * @returns the message, in memory that was reserved for the reply
   */
  async relay(from: number, tag: Tag, receivers: readonly number[]): Promise<Uint8Array> {
    const { length, payload } = await this.receiveFirst(from, tag), message = await this.reserve(length);
    message.set(payload);
    await Promise.all(receivers.map((to) => this.#sendPacket(to, this.#first(to, tag, message, length))));
    for (let received = payload.byteLength; received < length;) {
      const next = await this.receiveNext(from, length - received);
      message.set(next, received);
      const passed = message.subarray(received, received + next.byteLength);
      await Promise.all(receivers.map((to) => this.#sendPacket(to, passed)));
      received += next.byteLength;
    }
    return message;
  }

  /** Receives the rest of a message that begins with `first`. */
  async #fill(from: number, target: Uint8Array, first: Uint8Array): Promise<void> {
    target.set(first);
    for (let received = first.byteLength; received < target.byteLength;) {
      const next = await this.receiveNext(from, target.byteLength - received);
      target.set(next, received);
      received += next.byteLength;
    }
  }

  /** The first packet of a message: the header and as many bytes as fit, in memory that belongs to `slot`. */
  #first(slot: number, tag: Tag, message: Uint8Array, length: number): Uint8Array {
    const first = Math.min(length, packetBytes), end = headerBytes + first;
    let packet = this.#packets[slot]!;
    if (packet.byteLength < end) packet = this.#packets[slot] = new Uint8Array(roomToGrow(end));
    writeHeader(packet, tag, this.traffic.rounds, length);
    packet.set(message.subarray(0, first), headerBytes);
    return packet.subarray(0, end);
  }

  async #sendRest(to: number, message: Uint8Array): Promise<void> {
    for (let sent = packetBytes; sent < message.byteLength; sent += packetBytes) {
      await this.#sendPacket(to, message.subarray(sent, sent + packetBytes));
    }
  }

  async #sendPacket(to: number, packet: Uint8Array): Promise<void> {
    this.#deadlines.sending(to);
    await this.#transport.send(to, packet);
    this.#deadlines.sent(to);
    this.traffic.sentBytes += packet.byteLength + this.#framing;
  }

  async #receivePacket(from: number): Promise<Uint8Array> {
    this.#deadlines.awaiting(from);
    const packet = await this.#transport.receive(from);
    this.#deadlines.received(from);
    this.traffic.receivedBytes += packet.byteLength + this.#framing;
    return packet;
  }

  #unequal(from: number, { op }: Tag, theirs: number, mine: number): TransportError {
    return new TransportError(`Cannot perform ${op}: rank ${from} sent ${theirs} bytes, ${mine} were expected`, {
      rank: from,
    });
  }
}

/** Each message of a reply begins at a multiple of 16 bytes, so that any typed array can lie there. */
function aligned(length: number): number {
  return Math.ceil(length / 16) * 16;
}

/** At least `length` bytes, and a quarter more, so that messages that grow slowly do not allocate each time. */
export function roomToGrow(length: number): number {
  return Math.ceil(length * 1.25 / 64) * 64;
}
