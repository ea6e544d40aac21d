/** One TCP connection: packets out, packets in. FORMAT.md has the bytes. @module */

import { quoted } from "./printable.ts";

/** What each connection begins with: eight letters, then the version of the format as u32. */
export const preamble: Uint8Array = Uint8Array.of(...new TextEncoder().encode("GRADWIRE"), 1, 0, 0, 0);
/** u32 length, u32 kind. */
export const framingBytes = 8;
/** The kinds of packets. */
export const kinds = { data: 0, heartbeat: 1, hello: 2, welcome: 3, ready: 4, go: 5, abort: 6, bye: 7 } as const;
/** Besides data, no packet is longer. */
export const controlBytes = 1 << 16;
/** Packets up to this length are written in one piece with their prefix. */
const writeBytes = 1 << 19;
/** So much of a packet is allocated at once; the rest as it arrives, for what is announced need not come. */
const trustedBytes = 1 << 20;

/** Why the other end does not belong here. The words follow its name. */
export interface Stranger {
  readonly wrong: string;
  /** Whether it has sent nothing at all. */
  readonly silent?: boolean;
}

/** A packet of the handshake, or what is wrong with it. */
export type ControlPacket = { readonly kind: number; readonly value: unknown; readonly wrong?: undefined } | Stranger;

/** One connection. */
export class Wire {
  /** When bytes last arrived, and when a packet was last sent. */
  heard: number = performance.now();
  spoke: number = performance.now();
  /** Packets that wait to be written. */
  writing = 0;
  /** The packet whose header was read last. */
  kind = 0;
  length = 0;
  readonly conn: Deno.TcpConn;
  /** Where the other end is, for messages. */
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
    this.#enqueue(() => this.#writeAll(preamble)).catch(() => {}); // The next write, or read, tells.
  }

  /** Resolves when `payload` may be reused. Packets go out in the order of the calls. */
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

  /** `write` takes no more than fits into the socket's buffer. */
  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) done += await this.conn.write(bytes.subarray(done));
  }

  /** Reads a header. False: the other end has ended the connection between two packets. */
  async next(): Promise<boolean> {
    if (this.#end - this.#start < framingBytes && !await this.#fill(framingBytes)) return false;
    const view = new DataView(this.#staging.buffer, this.#start, framingBytes);
    this.length = view.getUint32(0, true);
    this.kind = view.getUint32(4, true);
    this.#start += framingBytes;
    return true;
  }

  /** Reads the payload of the packet whose header was read into memory that `take` returns for a length. */
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

  /** Reads until `count` bytes are there. False: the end, with nothing left over. */
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

  /** The next packet of the handshake. Never rejects: what goes wrong is told in words that follow a name. */
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

  /** Reads what each end begins with. Returns what is wrong with it, if anything. */
  async meet(): Promise<Stranger | undefined> {
    if (this.#met) return undefined;
    const length = preamble.byteLength;
    // By single bytes, so that one who speaks another protocol is told by its first word, however short.
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

  close(): void {
    try {
      this.conn.close();
    } catch {
      // The other end was faster.
    }
  }
}

/**
 * The value of a payload.
 *
 * @throws {SyntaxError} if it is no JSON in UTF-8
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

/** What an error says. */
export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waits, unless the signal ends it. */
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

/** Waits for the end of `work`, good or bad, but not for long. */
export async function soon(work: Promise<unknown>, ms: number): Promise<void> {
  const stop = new AbortController();
  await Promise.race([work.catch(() => {}), sleep(ms, stop.signal)]);
  stop.abort();
}
