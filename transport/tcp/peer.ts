/** What has arrived from one peer. @module */

import type { Wire } from "./wire.ts";
import type { TransportError } from "../transport.ts";

/** A rank that does not receive stops reading from a peer when so much waits, and TCP slows the peer down. */
const waitingBytes = 1 << 22;
/** What a packet costs in memory besides its bytes: empty packets are not free. */
const packetBytes = 512;
/** Longer buffers are not kept: the collectives send no packets that need them. */
const pooledBytes = 1 << 20;
/** So many buffers are kept for packets to come. */
const keptBuffers = 8;

/** What has arrived from one peer, and where to write to it. */
export class Peer {
  /** The transport's loop that reads from it. */
  reading: Promise<void> = Promise.resolve();
  /** Why nothing more comes from it. */
  ended: TransportError | undefined;
  readonly rank: number;
  readonly wire: Wire;
  readonly #queue: Uint8Array[] = [];
  /** Bytes in the queue, with what the packets cost. */
  #waiting = 0;
  readonly #receivers: { resolve(message: Uint8Array): void; reject(error: unknown): void }[] = [];
  /** Goes on with reading, once enough has been received. */
  #resume: (() => void) | undefined;
  /** Buffers of received packets: the caller may read the last one until the next `receive`. */
  readonly #free: Uint8Array[] = [];
  #lent: Uint8Array | undefined;

  constructor(rank: number, wire: Wire) {
    this.rank = rank;
    this.wire = wire;
  }

  /** Whether nothing is read from it at present, because too much waits to be received. */
  get paused(): boolean {
    return this.#resume !== undefined;
  }

  /** Memory for a packet: the smallest kept buffer that holds it, or a new one. */
  buffer(length: number): Uint8Array {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { byteLength } = this.#free[i]!;
      if (byteLength >= length && (best < 0 || byteLength < this.#free[best]!.byteLength)) best = i;
    }
    if (best >= 0) return this.#free.splice(best, 1)[0]!.subarray(0, length);
    if (this.#free.length > keptBuffers) this.#free.shift();
    return new Uint8Array(Math.max(64, length + (length >> 2))).subarray(0, length);
  }

  arrived(packet: Uint8Array): void {
    const receiver = this.#receivers.shift();
    if (receiver) this.#lend(packet, receiver.resolve);
    else {
      this.#queue.push(packet);
      this.#waiting += packet.byteLength + packetBytes;
    }
  }

  /** Resolves when there is room for more. A packet that waits alone may be of any length. */
  async room(): Promise<void> {
    while (this.#waiting > waitingBytes && this.#queue.length > 1 && !this.ended) {
      await new Promise<void>((resolve) => this.#resume = resolve);
      this.#resume = undefined;
    }
  }

  receive(): Promise<Uint8Array> {
    const used = this.#lent?.buffer;
    if (used && used.byteLength <= pooledBytes) this.#free.push(new Uint8Array(used));
    this.#lent = undefined;
    return new Promise((resolve, reject) => {
      const packet = this.#queue.shift();
      if (packet) {
        this.#waiting -= packet.byteLength + packetBytes;
        this.#resume?.();
        this.#lend(packet, resolve);
      } else if (this.ended) reject(this.ended);
      else this.#receivers.push({ resolve, reject });
    });
  }

  #lend(packet: Uint8Array, resolve: (message: Uint8Array) => void): void {
    this.#lent = packet;
    resolve(packet);
  }

  end(error: TransportError): void {
    this.ended ??= error;
    for (const { reject } of this.#receivers.splice(0)) reject(this.ended);
    this.#resume?.();
  }
}
