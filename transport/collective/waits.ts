/** The deadlines of rounds over a transport: how long to wait for whom, and whom to blame. @module */

import { type Deadlines, seconds } from "../deadlines.ts";
import type { WireRound } from "../round.ts";
import { type Transport, TransportError } from "../transport.ts";

/** What a round waits for. */
export class Waits {
  readonly #transport: Transport;
  readonly #timeout: number;
  readonly #roundTimeout: number;
  /** By rank: packets awaited from it, packets that it has not taken yet, and when it last moved in this round. */
  readonly #awaited: Int32Array;
  readonly #unsent: Int32Array;
  readonly #moved: Float64Array;
  /** In a broadcast: how many ranks away from the root this one is. */
  #hops = 0;

  constructor(transport: Transport, { timeout = 30_000, roundTimeout = Infinity }: Omit<Deadlines, "connectTimeout">) {
    const { size } = transport;
    this.#transport = transport;
    this.#timeout = timeout;
    this.#roundTimeout = roundTimeout;
    this.#awaited = new Int32Array(size);
    this.#unsent = new Int32Array(size);
    this.#moved = new Float64Array(size);
  }

  awaits(from: number): void {
    if (this.#awaited[from]!++ + this.#unsent[from]! === 0) this.#moved[from] = performance.now();
  }

  received(from: number): void {
    this.#awaited[from]!--;
    this.#moved[from] = performance.now();
  }

  sends(to: number): void {
    if (this.#unsent[to]!++ + this.#awaited[to]! === 0) this.#moved[to] = performance.now();
  }

  sent(to: number): void {
    this.#unsent[to]!--;
    this.#moved[to] = performance.now();
  }

  /** This rank is so many ranks away from the root of a broadcast. */
  away(hops: number): void {
    this.#hops = hops;
  }

  /**
   * How much longer this rank waits, so that those that only wait for the culprit are the first to say so. Where one rank
   * is lost in the middle of a round, some have all of its packets and some have not. The latter wait for it alone, as the
   * others have sent them everything. The former go on to the next exchange, and there wait for it and for the latter. In
   * a broadcast each waits for its parent only, which may wait for its own.
   */
  get #grace(): number {
    const { size } = this.#transport;
    let waits = 0;
    for (let peer = 0; peer < size; peer++) waits += Number(this.#waitsFor(peer));
    const turns = waits > 1 ? Math.ceil(Math.log2(size)) + 1 : this.#hops;
    return turns * Math.min(this.#timeout / 8, this.#roundTimeout / 8, 1000);
  }

  /**
   * The result of a round's work, which has been begun. Rejects when a rank that it waits for has been silent for too long,
   * or when the round has lasted too long, and names one that it waits for.
   */
  async within<T>(round: WireRound, number: number, work: Promise<T>): Promise<T> {
    const end = performance.now() + this.#roundTimeout;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const arm = (delay: number) => {
        const due = performance.now() + delay;
        timer = setTimeout(() => {
          const now = performance.now();
          // A thread that was busy elsewhere when the timer was due has not looked at what has arrived meanwhile.
          if (now - due > this.#timeout / 4) return arm(this.#timeout / 4 + this.#grace);
          const left = Math.min(this.#left(now), end - now) + this.#grace;
          if (left > 0) arm(Math.min(left, 2 ** 31 - 1));
          else reject(this.#late(`round ${number} (${round.op})`, now, now >= end));
        }, delay);
      };
      arm(Math.min(this.#timeout, this.#roundTimeout));
    });
    try {
      return await Promise.race([work, deadline]);
    } finally {
      clearTimeout(timer);
      this.#awaited.fill(0);
      this.#unsent.fill(0);
      this.#hops = 0;
    }
  }

  /** How long a peer may be silent. Only where a peer that waits itself gives signs of life may one wait longer than another. */
  #patience(peer: number): number {
    const { rank, size, lastSign } = this.#transport;
    return lastSign ? patience(this.#timeout, rank, peer, size) : this.#timeout;
  }

  #silence(peer: number, now: number): number {
    return now - Math.max(this.#moved[peer]!, this.#transport.lastSign?.(peer) ?? 0);
  }

  #waitsFor(peer: number): boolean {
    return this.#awaited[peer]! > 0 || this.#unsent[peer]! > 0;
  }

  /** How long the first of those that are waited for may still be silent; at least a moment, if nobody is waited for. */
  #left(now: number): number {
    let left = this.#timeout;
    for (let peer = 0; peer < this.#transport.size; peer++) {
      if (this.#waitsFor(peer)) left = Math.min(left, this.#patience(peer) - this.#silence(peer, now));
    }
    return left;
  }

  #late(round: string, now: number, whole: boolean): TransportError {
    const { rank } = this.#transport, peers = [...this.#awaited.keys()].filter((peer) => this.#waitsFor(peer));
    const silent = peers.filter((peer) => this.#silence(peer, now) >= this.#patience(peer));
    if (silent.length > 0) {
      const least = Math.min(...silent.map((peer) => this.#silence(peer, now)));
      return new TransportError(
        `Cannot finish ${round}: rank ${rank} has heard nothing from ${listed(silent)} for ${seconds(least)}; ` +
          "timeout raises the limit",
        { rank: silent[0] },
      );
    }
    const who = whole && peers.length > 0 ? peers : [], first = who[0];
    const what = first === undefined
      ? "this rank is not done"
      : this.#awaited[first]! > 0
      ? `${listed(who)} ${who.length === 1 ? "lives, but has" : "live, but have"} not sent everything`
      : `${listed(who)} ${who.length === 1 ? "lives, but has" : "live, but have"} not taken everything`;
    return new TransportError(
      `Cannot finish ${round} within ${seconds(this.#roundTimeout)}: ${what}; roundTimeout raises the limit`,
      { rank: first },
    );
  }
}

/**
 * How long `rank` waits for a sign of life of `peer`. Of two ranks that do not hear each other although both live, the one
 * with the lower number is to say so first: a third one passes it on, and all name the same rank.
 */
export function patience(timeout: number, rank: number, peer: number, size: number): number {
  return size > 2 && peer < rank ? 1.25 * timeout : timeout;
}

function listed(ranks: readonly number[]): string {
  return `rank${ranks.length === 1 ? "" : "s"} ${ranks.join(", ")}`;
}
