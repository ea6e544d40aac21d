/**
 * One TCP connection, as packets that are written and read. FORMAT.md has all bytes.
 *
 * | packet  | bytes  | what                                     |
 * | ------- | ------ | ---------------------------------------- |
 * | length  | 4      | u32, little-endian: bytes of the payload |
 * | kind    | 4      | u32, little-endian: see `kinds`          |
 * | payload | length | a message, or JSON in UTF-8, or nothing  |
 *
 * @module
 */

import { quoted } from "./printable.ts";

/** The bytes that each end sends first: eight letters, then the version of the format as a little-endian u32. */
const preamble: Uint8Array = Uint8Array.of(...new TextEncoder().encode("GRADWIRE"), 1, 0, 0, 0);
/** The bytes before the payload of a packet. */
export const framingBytes = 8;
/** The kinds of packets, and their numbers. */
export const kinds = { data: 0, heartbeat: 1, hello: 2, welcome: 3, ready: 4, go: 5, abort: 6, bye: 7 } as const;
/** The longest payload of a packet that is no data, in bytes. */
export const controlBytes = 1 << 16;
/** The part of a payload, in bytes, that is written in one piece with length and kind: one system call for most packets. */
const writeBytes = 1 << 19;
/** The most bytes that are allocated for a packet before it has arrived: the length that a stranger announces may be a lie. */
const trustedBytes = 1 << 20;

/** Why the other end is no rank of this group. */
interface Stranger {
  /** What it did, in words that follow its name in a sentence. */
  readonly wrong: string;
  /** Whether it has sent nothing at all. */
  readonly silent?: boolean;
}

/** A packet that ranks exchange while they meet, or what is wrong with it. */
export type ControlPacket = { readonly kind: number; readonly value: unknown; readonly wrong?: undefined } | Stranger;

/** One connection to another rank, or to a stranger. */
export class Wire {
  /** When bytes last arrived, by performance.now(). */
  heard: number = performance.now();
  /** When a packet was last sent, by performance.now(). */
  spoke: number = performance.now();
  /** How many packets wait to be written. */
  writing = 0;
  /** The kind of the packet whose header was read last. */
  kind = 0;
  /** The length of its payload in bytes. */
  length = 0;
  readonly conn: Deno.TcpConn;
  /** The address of the other end, as errors name it. */
  readonly peer: string;
  readonly #staging = new Uint8Array(1 << 16);
  #start = 0;
  #end = 0;
  #buffer = new Uint8Array(1024);
  #last: Promise<void> = Promise.resolve();
  #met = false;

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
    const { hostname, port } = conn.remoteAddr;
    this.peer = addressText(hostname, port);
    this.#enqueue(() => this.#writeAll(preamble)).catch(() => {}); // A failure shows at the next write or read.
  }

  /** Writes a packet, and resolves when `payload` may be reused. Packets go out in the order of the calls. */
  write(kind: number, payload: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      const { byteLength } = payload, first = Math.min(byteLength, writeBytes), end = framingBytes + first;
      if (this.#buffer.byteLength < end) this.#buffer = new Uint8Array(Math.min(2 * end, framingBytes + writeBytes));
      const view = new DataView(this.#buffer.buffer);
      view.setUint32(0, byteLength, true);
      view.setUint32(4, kind, true);
      this.#buffer.set(payload.subarray(0, first), framingBytes);
      await this.#writeAll(this.#buffer.subarray(0, end));
      if (first < byteLength) await this.#writeAll(payload.subarray(first));
    });
  }

  /** Writes a packet whose payload is a value as JSON. */
  writeJson(kind: number, value: unknown): Promise<void> {
    return this.write(kind, new TextEncoder().encode(JSON.stringify(value)));
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.writing++;
    const before = this.#last;
    return this.#last = (async () => {
      await before;
      await work();
      this.spoke = performance.now();
      this.writing--;
    })();
  }

  /** Writes all bytes: one call of `conn.write` takes no more than fits into the socket's buffer. */
  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) done += await this.conn.write(bytes.subarray(done));
  }

  /** Reads the next packet's length and kind. Returns false where the other end has ended the connection instead. */
  async next(): Promise<boolean> {
    if (this.#end - this.#start < framingBytes && !await this.#fill(framingBytes)) return false;
    const view = new DataView(this.#staging.buffer, this.#start, framingBytes);
    this.length = view.getUint32(0, true);
    this.kind = view.getUint32(4, true);
    this.#start += framingBytes;
    return true;
  }

  /** Reads the payload of the packet that `next` has found, into memory that `take` returns for a length in bytes. */
  async read(take: (length: number) => Uint8Array): Promise<Uint8Array> {
    const { length } = this;
    let packet = take(Math.min(length, trustedBytes)), done = 0;
    for (;;) {
      await this.#readInto(packet.subarray(done));
      done = packet.byteLength;
      if (done === length) return packet;
      const longer = take(Math.min(length, 4 * done));
      longer.set(packet);
      packet = longer;
    }
  }

  async #readInto(target: Uint8Array): Promise<void> {
    let done = Math.min(target.byteLength, this.#end - this.#start);
    target.set(this.#staging.subarray(this.#start, this.#start + done));
    this.#start += done;
    while (done < target.byteLength) {
      const count = await this.conn.read(target.subarray(done));
      if (count === null) throw new Error("the connection ended within a packet");
      this.heard = performance.now();
      done += count;
    }
  }

  /** Reads until `count` bytes are staged. Returns false where the connection has ended and nothing is left over. */
  async #fill(count: number): Promise<boolean> {
    this.#staging.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    while (this.#end < count) {
      const read = await this.conn.read(this.#staging.subarray(this.#end));
      if (read === null) {
        if (this.#end === 0) return false;
        throw new Error("the connection ended within a packet");
      }
      this.heard = performance.now();
      this.#end += read;
    }
    return true;
  }

  /** Reads the next packet while the ranks meet. It never rejects: what goes wrong is returned as words. */
  async control(): Promise<ControlPacket> {
    try {
      const stranger = await this.meet();
      if (stranger) return stranger;
      if (!await this.next()) return { wrong: "ended the connection" };
      const { kind, length } = this;
      if (length > controlBytes) {
        return { wrong: `sent a packet of ${length} bytes, agreed are at most ${controlBytes}` };
      }
      return { kind, value: parseJson(await this.read((length) => new Uint8Array(length))) };
    } catch (error) {
      return { wrong: error instanceof SyntaxError ? "sent what is not ours" : `was lost: ${text(error)}` };
    }
  }

  /** Reads the preamble, once. Returns what is wrong with it, if anything. */
  async meet(): Promise<Stranger | undefined> {
    if (this.#met) return undefined;
    const length = preamble.byteLength;
    // The bytes are looked at one by one, so that whoever speaks another protocol is known by its first wrong byte.
    for (let i = 0; i < length; i++) {
      if (!await this.#fill(i + 1)) return { wrong: "ended the connection without a word", silent: true };
      if (i < 8 && this.#staging[i] !== preamble[i]) {
        const said = String.fromCharCode(...this.#staging.subarray(0, Math.min(this.#end, 16)));
        return { wrong: `sent a message that is not ours: ${quoted(said)}` };
      }
    }
    const version = new DataView(this.#staging.buffer).getUint32(8, true), ours = preamble[8];
    if (version !== ours) return { wrong: `speaks version ${version} of the format, this is version ${ours}` };
    this.#start = length;
    this.#met = true;
    return undefined;
  }

  /** Closes the connection, also where it is closed already. */
  close(): void {
    try {
      this.conn.close();
    } catch {
      // The other end has closed it before.
    }
  }
}

/**
 * The value that a payload holds.
 *
 * @throws {SyntaxError} if the payload is no JSON in UTF-8
 */
export function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw new SyntaxError("it is no JSON in UTF-8", { cause });
  }
}

/** "host:port", or "[address]:port" for an IPv6 address. */
export function addressText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The message of what was thrown. */
export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waits for so many milliseconds, or until the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}

/** Waits until `work` has ended, well or not, but at most `ms` milliseconds. */
export async function soon(work: Promise<unknown>, ms: number): Promise<void> {
  const stop = new AbortController();
  await Promise.race([work.catch(() => {}), sleep(ms, stop.signal)]);
  stop.abort();
}
