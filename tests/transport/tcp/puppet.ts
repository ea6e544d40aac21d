/** A rank of a TCP group that is moved by hand, packet by packet: what a test needs to misbehave. @module */

import { freePort } from "../tools/ports.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** What each connection begins with. */
export const preamble = encoder.encode("GRADWIRE\x01\0\0\0");
/** The kinds of packets. */
export const kinds = { data: 0, heartbeat: 1, hello: 2, welcome: 3, ready: 4, go: 5, abort: 6, bye: 7 } as const;

/** A packet. */
export function packet(
  kind: number,
  payload: Uint8Array,
  length: number = payload.byteLength,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + payload.byteLength), view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, kind, true);
  bytes.set(payload, 8);
  return bytes;
}

/** A packet of JSON. */
export function json(kind: number, value: unknown): Uint8Array<ArrayBuffer> {
  return packet(kind, encoder.encode(JSON.stringify(value)));
}

/** What a rank says of itself, as `tcp` of these options would. */
export function hello(options: {
  readonly rank: number;
  readonly size: number;
  readonly timeout: number;
  readonly port?: number;
  readonly run?: string;
  readonly left?: number;
}): Uint8Array<ArrayBuffer> {
  const { timeout } = options, patience = { connectTimeout: timeout, left: timeout };
  return json(kinds.hello, {
    maxMessageBytes: 2 ** 30,
    run: "",
    address: "127.0.0.1",
    port: 1,
    ...patience,
    ...options,
  });
}

/** One connection. */
export class Puppet {
  readonly conn: Deno.TcpConn;
  #bytes = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
  }

  /** Connects, again and again until somebody listens. */
  static async connect(port: number): Promise<Puppet> {
    for (;;) {
      try {
        return new Puppet(await Deno.connect({ hostname: "127.0.0.1", port }));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10)); // The rank is about to listen.
      }
    }
  }

  async write(...pieces: readonly Uint8Array[]): Promise<void> {
    for (const bytes of pieces) {
      for (let done = 0; done < bytes.byteLength;) done += await this.conn.write(bytes.subarray(done));
    }
  }

  /** The next `count` bytes, or fewer, if the connection ends. */
  async read(count: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(1 << 14);
    while (this.#bytes.length < count) {
      const read = await this.conn.read(buffer).catch(() => null);
      if (read === null) break;
      this.#bytes = Uint8Array.of(...this.#bytes, ...buffer.subarray(0, read));
    }
    const bytes = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.slice(count);
    return bytes;
  }

  /** The next packet; its kind is −1 if the connection has ended. */
  async packet(): Promise<{ readonly kind: number; readonly text: string }> {
    const header = await this.read(8);
    if (header.length < 8) return { kind: -1, text: "" };
    const view = new DataView(header.buffer, header.byteOffset, 8);
    return { kind: view.getUint32(4, true), text: decoder.decode(await this.read(view.getUint32(0, true))) };
  }

  /** Reads until a packet of that kind comes, or the end. */
  async until(kind: number): Promise<string | undefined> {
    for (;;) {
      const next = await this.packet();
      if (next.kind === kind) return next.text;
      if (next.kind === -1) return undefined;
    }
  }

  /** Reads what comes until the connection ends, so that nothing that is sent is refused. */
  async drain(): Promise<void> {
    const buffer = new Uint8Array(1 << 14);
    while (await this.conn.read(buffer).catch(() => null) !== null);
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // It has ended.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** How far a rank comes before something happens to it. */
export const phases = [
  "never comes",
  "has said hello",
  "knows the others",
  "has reached the others",
  "is ready",
] as const;

/**
 * Moves rank `rank` ≥ 1 of a group at `port` to a phase, reading all that comes. Returns what ends it: as a killed process
 * does if called, while a stopped one is left as it is.
 */
export async function moveTo(
  phase: typeof phases[number],
  { rank, size, timeout, port }: { rank: number; size: number; timeout: number; port: number },
): Promise<() => void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: freePort() }), all: Puppet[] = [];
  const kill = () => {
    listener.close();
    for (const puppet of all) puppet.close();
  };
  if (phase === "never comes") return kill;
  const say = hello({ rank, size, timeout, port: (listener.addr as Deno.NetAddr).port });
  const first = await Puppet.connect(port);
  all.push(first);
  await first.write(preamble, say);
  if (phase === "has said hello") return kill;
  await first.read(12);
  const addresses = JSON.parse(await first.until(kinds.welcome) ?? "[]") as [string, number][];
  if (phase === "knows the others") return kill;
  for (let lower = 1; lower < rank && addresses[lower]; lower++) {
    const puppet = await Puppet.connect(addresses[lower]![1]);
    all.push(puppet);
    await puppet.write(preamble, say);
  }
  for (let higher = rank + 1; higher < size; higher++) {
    const puppet = new Puppet(await listener.accept());
    all.push(puppet);
    await puppet.write(preamble, json(kinds.welcome, null));
  }
  if (phase === "is ready") await first.write(json(kinds.ready, null));
  return kill;
}
