/** The deadlines of rounds over a transport: how long a rank waits for whom, and whom it blames. @module */

import { type Deadlines, listed, patience, seconds } from "../deadlines.ts";
import type { WireRound } from "../round.ts";
import { type Transport, TransportError } from "../transport.ts";

/** The longest delay of a timer, in milliseconds. */
const longestDelay = 2 ** 31 - 1;

/** What one rank's rounds wait for, and until when. Told of each packet before and after it moves. */
export class RoundDeadlines {
  readonly #transport: Transport;
  readonly #timeout: number;
  readonly #roundTimeout: number;
  /** For each peer, the packets that this rank waits for. */
  readonly #awaited: Int32Array;
  /** For each peer, the packets that it has not taken yet. */
  readonly #unsent: Int32Array;
  /** For each peer, when this rank began to wait for it or a packet moved, as `performance.now()` counts. */
  readonly #moved: Float64Array;
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

  /** This rank waits for a packet from a peer. */
  awaiting(from: number): void {
    if (this.#awaited[from]!++ + this.#unsent[from]! === 0) this.#moved[from] = performance.now();
  }

  /** A packet that this rank has waited for has come. */
  received(from: number): void {
    this.#awaited[from]!--;
    this.#moved[from] = performance.now();
  }

  /** This rank waits for a peer to take a packet. */
  sending(to: number): void {
    if (this.#unsent[to]!++ + this.#awaited[to]! === 0) this.#moved[to] = performance.now();
  }

  /** The peer has taken a packet. */
  sent(to: number): void {
    this.#unsent[to]!--;
    this.#moved[to] = performance.now();
  }

  /** In this round the rank that is to blame may be so many hops away: each rank waits for the next on the way. */
  waitsAcross(hops: number): void {
    this.#hops = hops;
  }

  /**
   * Waits for a round's work, which has been begun.
   *
   * @param number the round's number, for messages
   * @returns the work's result
   * @throws {TransportError} when a rank that it waits for has been silent for too long, or the round has lasted too
   *   long; it names one that it waits for
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
          if (left > 0) arm(Math.min(left, longestDelay));
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

  /**
   * How much longer this rank waits than its deadline says, in milliseconds, so that ranks that wait for the culprit
   * alone are the first to name it. Where a rank is lost in the middle of a round, some ranks have all of its packets
   * and some have not. The latter wait for it alone, as the others have sent them everything. The former go on to the
   * next exchange, and wait there both for it and for the latter. Where a rank waits for one that waits itself, each
   * hop adds as much.
   */
  get #grace(): number {
    const { size } = this.#transport;
    let waits = 0;
    for (let peer = 0; peer < size; peer++) waits += Number(this.#waitsFor(peer));
    const turns = waits > 1 ? Math.ceil(Math.log2(size)) + 1 : this.#hops;
    return turns * Math.min(this.#timeout / 8, this.#roundTimeout / 8, 1000);
  }

  /**
   * How long a peer may be silent. All ranks wait equally long where a peer that only waits is silent, too; where it
   * gives signs of life, see {@link patience}.
   */
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

  /** How long the peers that this rank waits for may all still be silent; `timeout`, if it waits for none. */
  #left(now: number): number {
    let left = this.#timeout;
    for (let peer = 0; peer < this.#transport.size; peer++) {
      if (this.#waitsFor(peer)) left = Math.min(left, this.#patience(peer) - this.#silence(peer, now));
    }
    return left;
  }

  /** The error of a round that has missed its deadline; `whole` if it is the deadline of the whole round. */
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
