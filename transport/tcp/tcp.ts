/**
 * The transport over TCP: every rank has a connection to every other rank. FORMAT.md has the bytes.
 *
 * `meeting.ts` says how the ranks meet; this file says what happens afterwards. Whatever goes wrong is told to all ranks, so
 * that they fail for one reason.
 *
 * @module
 */

import { headerBytes } from "../collective/header.ts";
import { type Abort, abortError, abortOf, readAbort } from "./abort.ts";
import { patience, seconds } from "../deadlines.ts";
import { checkTcpOptions, type TcpOptions } from "./tcp_options.ts";
import { Peer } from "./peer.ts";
import { TcpMeeting } from "./meeting.ts";
import { controlBytes, framingBytes, kinds, parseJson, soon, text, type Wire } from "./wire.ts";
import { type Transport, TransportError } from "../transport.ts";

/** How many milliseconds an orderly end may take. */
const lingerMs = 2000;
const nothing = new Uint8Array(0);

/**
 * Connects this rank with the others over TCP.
 *
 * Nothing is encrypted and nobody is asked for a password: use it on networks where all machines are trusted. Strangers that
 * connect while the ranks meet are turned away, and do not end the meeting.
 *
 * @param options this rank's number, how many ranks there are, and where rank 0 listens
 * @returns this rank's transport, once all ranks are connected
 * @throws {TransportError} if the port is in use, the host is unknown or does not answer, a rank is missing or comes
 *     twice, something arrives that no rank sends, or versions or sizes differ; `rank` names the rank to blame, if one is
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @example
 * ```ts
 * import { tcp } from "@gradwire/tfjs/transport";
 * const options = { size: 2, host: "127.0.0.1", port: 28471 };
 * const ranks = await Promise.all([0, 1].map((rank) => tcp({ ...options, rank })));   // one in each of two processes
 * await ranks[0]!.send(1, Uint8Array.of(7));
 * console.assert((await ranks[1]!.receive(0))[0] === 7);
 * for (const rank of ranks) await rank[Symbol.asyncDispose]();
 * ```
 */
export async function tcp(options: TcpOptions): Promise<Transport> {
  checkTcpOptions(options);
  return new TcpTransport(options, await new TcpMeeting(options).meet());
}

/** The end of a transport. */
interface Ending {
  /** Resolves when the peers have been told. */
  readonly told: Promise<unknown>;
  /** Resolves when the connections are closed. */
  readonly closed: Promise<unknown>;
}

class TcpTransport implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly framing = framingBytes;
  readonly #peers: readonly (Peer | undefined)[];
  readonly #maxBytes: number;
  readonly #timeout: number;
  readonly #heartbeat: ReturnType<typeof setInterval> | undefined;
  #ending: Ending | undefined;

  constructor(options: TcpOptions, wires: readonly (Wire | undefined)[]) {
    const { rank, size, timeout = 30_000, maxMessageBytes = 2 ** 30, heartbeat = timeout / 6 } = options;
    this.rank = rank;
    this.size = size;
    this.#timeout = timeout;
    this.#maxBytes = maxMessageBytes + headerBytes;
    this.#peers = wires.map((wire, rank) => wire && new Peer(rank, wire));
    for (const peer of this.#peers) if (peer) peer.reading = this.#read(peer);
    if (size > 1) this.#heartbeat = this.#beat(heartbeat);
  }

  async send(to: number, message: Uint8Array): Promise<void> {
    const peer = this.#peer(to);
    if (message.byteLength > this.#maxBytes) {
      throw new RangeError(
        `Cannot send to rank ${to}: the message has ${message.byteLength} bytes, agreed are at most ${this.#maxBytes}`,
      );
    }
    if (peer.ended) throw peer.ended;
    try {
      await peer.wire.write(kinds.data, message);
    } catch (cause) {
      // The peer may have said before its end which rank is to blame: that is read soon, or was read.
      await soon(peer.reading, 500);
      throw peer.ended ?? this.#lost(peer, text(cause), cause);
    }
  }

  async receive(from: number): Promise<Uint8Array> {
    return await this.#peer(from).receive();
  }

  lastSign(peer: number): number {
    return this.#peer(peer).wire.heard;
  }

  async abort(reason: TransportError): Promise<void> {
    await this.#end(reason, kinds.abort, abortOf(reason, this.rank)).told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { rank } = this;
    const left = new TransportError(`Cannot exchange: rank ${rank} has left the group`, { rank });
    await this.#end(left, kinds.bye, null).closed;
  }

  #peer(rank: number): Peer {
    const peer = this.#peers[rank];
    if (peer) return peer;
    throw new RangeError(`Cannot exchange with rank ${rank}: this is rank ${this.rank} of ${this.size}`);
  }

  /**
   * Tells all peers that this rank ends, then reads on until they have ended too: a connection that is closed while bytes are
   * unread is reset, and what it had sent may be lost.
   */
  #end(reason: TransportError, kind: number, value: Abort | null): Ending {
    if (this.#ending) return this.#ending;
    clearInterval(this.#heartbeat);
    const open = this.#peers.filter((peer): peer is Peer => peer !== undefined && !peer.ended);
    for (const peer of this.#peers) peer?.end(reason);
    const telling = open.map(({ wire }) =>
      soon(wire.writeJson(kind, value).then(() => wire.conn.closeWrite()), lingerMs)
    );
    const closing = this.#peers.map(async (peer) => {
      if (!peer) return;
      const told = telling[open.indexOf(peer)]; // absent if the peer has ended before
      if (told) {
        await told;
        await soon(peer.reading, lingerMs);
      }
      peer.wire.close();
      await peer.reading;
    });
    return this.#ending = { told: Promise.all(telling), closed: Promise.all(closing) };
  }

  async #read(peer: Peer): Promise<void> {
    const { wire } = peer;
    let end: TransportError;
    try {
      end = await this.#readUntilEnd(peer);
    } catch (error) {
      end = this.#lost(peer, text(error), error);
    }
    peer.end(end);
    // The peer reads nothing any more, and waits for this end to close.
    await soon(wire.conn.closeWrite(), lingerMs);
    if (!this.#ending) wire.close();
  }

  async #readUntilEnd(peer: Peer): Promise<TransportError> {
    const { wire, rank } = peer, take = (length: number) => peer.buffer(length);
    while (await wire.next()) {
      const { kind, length } = wire, most = limit(kind, this.#maxBytes);
      if (length > most) {
        const what = kind === kinds.heartbeat ? "a heartbeat" : "a packet";
        return this.#lost(peer, `it sent ${what} of ${length} bytes, agreed are at most ${most}`);
      }
      if (kind === kinds.data) {
        const packet = await wire.read(take);
        if (this.#ending) continue;
        peer.arrived(packet);
        await peer.room();
      } else if (kind === kinds.bye) {
        return new TransportError(`Cannot exchange with rank ${rank}: it left the group`, { rank });
      } else if (kind === kinds.abort) {
        const abort = readAbort(parseJson(await wire.read((length) => new Uint8Array(length))), rank);
        const error = abortError(abort);
        peer.end(error);
        // The abort is passed on, because of two ranks that do not hear each other only a third one can tell the other.
        this.#end(error, kinds.abort, abort);
        return error;
      } else if (kind !== kinds.heartbeat) {
        return this.#lost(peer, `it sent what is not ours: a packet of kind ${kind}`);
      }
    }
    return this.#lost(peer, "the connection ended without a word, as when a process is killed");
  }

  #lost({ rank }: Peer, why: string, cause?: unknown): TransportError {
    return new TransportError(`Cannot exchange with rank ${rank}: it was lost: ${why}`, { rank, cause });
  }

  /** Sends heartbeats to the peers every `period` milliseconds, and ends the connections to those that are silent. */
  #beat(period: number): ReturnType<typeof setInterval> {
    let due = performance.now() + period;
    return setInterval(() => {
      const now = performance.now(), late = now - due > period;
      due = now + period;
      for (const peer of this.#peers) {
        if (!peer || peer.ended) continue;
        const { wire } = peer;
        if (wire.writing === 0 && now - wire.spoke > period / 2) wire.write(kinds.heartbeat, nothing).catch(() => {});
        // While this thread is busy, or does not read, it hears nobody, for which no peer is to blame.
        if (late || peer.paused) wire.heard = now;
        const silence = now - wire.heard;
        if (silence <= patience(this.#timeout, this.rank, peer.rank, this.size)) continue;
        const what = `rank ${this.rank} has heard nothing from it for ${seconds(silence)} (timeout raises the limit)`;
        peer.end(this.#lost(peer, what));
        wire.close();
      }
    }, period);
  }
}

/** The longest payload of a kind of packet, in bytes. */
function limit(kind: number, maxBytes: number): number {
  return kind === kinds.data ? maxBytes : kind === kinds.heartbeat ? 0 : controlBytes;
}
