/** The queue of packets that have arrived from one other rank. @module */

import type { Wire } from "./wire.ts";
import type { TransportError } from "../transport.ts";

/** When so many bytes wait to be received, nothing more is read from the peer, and TCP makes the peer wait. */
const waitingBytes = 1 << 22;
/** The bytes that a packet is counted with besides its payload, because empty packets take memory too. */
const packetBytes = 512;
/** The longest buffer that is kept for reuse, in bytes. The collectives send no longer packets. */
const pooledBytes = 1 << 20;
/** How many buffers are kept for packets to come. */
const keptBuffers = 8;

/** Another rank: its connection, and the packets that have arrived from it. */
export class Peer {
  /** Resolves when the transport's loop has stopped reading from this peer. */
  reading: Promise<void> = Promise.resolve();
  /** Why nothing more comes from it. */
  ended: TransportError | undefined;
  readonly rank: number;
  readonly wire: Wire;
  readonly #queue: Uint8Array[] = [];
  /** The bytes in the queue, as they are counted. */
  #waiting = 0;
  readonly #receivers: { resolve(message: Uint8Array): void; reject(error: unknown): void }[] = [];
  /** Lets the loop that reads go on, once enough has been received. */
  #resume: (() => void) | undefined;
  /** Buffers that may be reused. */
  readonly #free: Uint8Array[] = [];
  /** The packet that was received last: the caller may read it until it receives the next one. */
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

  /** Hands a packet to whoever waits for it, or queues it. */
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

  /** The next packet. It may be read until the next call. */
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

  /** Nothing more comes: rejects all who wait, and whoever receives later when the queue is empty. */
  end(error: TransportError): void {
    this.ended ??= error;
    for (const { reject } of this.#receivers.splice(0)) reject(this.ended);
    this.#resume?.();
  }
}
