/**
 * A full mesh of TCP connections between processes and machines. FORMAT.md has the bytes.
 *
 * Rank 0 listens where all agreed. Each other rank connects to it and says hello: who it is and where it listens. When
 * all have come, rank 0 sends everybody the list; each rank connects to the lower ones and is connected by the higher
 * ones, tells rank 0 that it is ready, and goes on when rank 0 has heard so from all. Whatever goes wrong is told to
 * everybody, so that all ranks refuse for the same reason.
 *
 * @module
 */

import { headerBytes } from "./collective.ts";
import { checkTcpOptions, type TcpOptions } from "./tcp_options.ts";
import { type Transport, TransportError } from "./transport.ts";

/** What each connection begins with: eight letters, then the version of the format as u32. */
export const preamble: Uint8Array = Uint8Array.of(...new TextEncoder().encode("GRADWIRE"), 1, 0, 0, 0);
/** u32 length, u8 kind, three zero bytes. */
export const framingBytes = 8;

const kinds = { data: 0, heartbeat: 1, hello: 2, welcome: 3, ready: 4, go: 5, abort: 6, bye: 7 } as const;
/** Besides data, no packet is longer. */
const controlBytes = 1 << 16;
/** Packets up to this length are written in one piece with their prefix. */
const writeBytes = 1 << 19;
/** A rank that does not receive stops reading from a peer when so much waits, and TCP slows the peer down. */
const waitingBytes = 1 << 22;
const waitingPackets = 8;
/** Longer buffers are not kept: the collectives send no packets that need them. */
const pooledBytes = 1 << 20;
/** How long an orderly end may take. */
const lingerMs = 2000;

/**
 * Connects the ranks over TCP. Nothing is encrypted and nobody is asked for a password: it is made for networks where
 * all machines are trusted.
 *
 * @returns this rank's transport, when all ranks are connected
 * @throws {TransportError} if the port is in use, the host does not answer, a rank is missing or came twice, what
 *     arrives is not ours, or versions or sizes differ; `rank` names the peer where one is to blame
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @example
 * ```ts
 * import { tcp } from "@gradwire/tfjs/transport";
 * const options = { size: 2, host: "127.0.0.1", port: 28471 };
 * const ranks = await Promise.all([0, 1].map((rank) => tcp({ ...options, rank })));   // in two processes: one each
 * await ranks[0]!.send(1, Uint8Array.of(7));
 * console.assert((await ranks[1]!.receive(0))[0] === 7);
 * for (const rank of ranks) await rank[Symbol.asyncDispose]();
 * ```
 */
export async function tcp(options: TcpOptions): Promise<Transport> {
  checkTcpOptions(options);
  return new TcpTransport(options, await new Rendezvous(options).meet());
}

/** One connection: packets out, packets in. */
class Wire {
  /** When bytes last arrived, and when a packet was last sent. */
  heard: number = performance.now();
  spoke: number = performance.now();
  /** Packets that wait to be written. */
  writing = 0;
  /** The packet whose header was read last. */
  kind = 0;
  length = 0;
  /** Where the other end is, for messages. */
  readonly peer: string;
  readonly #staging = new Uint8Array(1 << 16);
  #start = 0;
  #end = 0;
  #buffer = new Uint8Array(1024);
  #last: Promise<void> = Promise.resolve();
  #met = false;

  constructor(readonly conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
    const { hostname, port } = conn.remoteAddr;
    this.peer = `${hostname}:${port}`;
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

  /** Reads the payload of the packet whose header was read, exactly. */
  async read(into: Uint8Array): Promise<void> {
    let done = Math.min(into.byteLength, this.#end - this.#start);
    into.set(this.#staging.subarray(this.#start, this.#start + done));
    this.#start += done;
    while (done < into.byteLength) {
      const count = await this.conn.read(into.subarray(done));
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
  async control(): Promise<Control> {
    try {
      const stranger = await this.meet();
      if (stranger) return stranger;
      if (!await this.next()) return { wrong: "ended the connection" };
      const { kind, length } = this;
      if (length > controlBytes) {
        return { wrong: `sent a packet of ${length} bytes, agreed are at most ${controlBytes}` };
      }
      const payload = new Uint8Array(length);
      await this.read(payload);
      return { kind, value: JSON.parse(new TextDecoder().decode(payload)) };
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
        return { wrong: `sent a message that is not ours: ${JSON.stringify(said)}` };
      }
    }
    const version = new DataView(this.#staging.buffer).getUint32(8, true), ours = preamble[8];
    if (version !== ours) {
      return { wrong: `speaks version ${version} of the format, this is version ${ours}`, version: true };
    }
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

type Stranger = { readonly wrong: string; readonly version?: boolean; readonly silent?: boolean };
type Control = { readonly kind: number; readonly value: unknown; readonly wrong?: undefined } | Stranger;

/** What a rank says of itself. */
interface Hello {
  readonly rank: number;
  readonly size: number;
  readonly timeout: number;
  readonly maxMessageBytes: number;
  readonly run: string;
  readonly address: string;
  readonly port: number;
}

/** How the ranks find each other. */
class Rendezvous {
  readonly #options: Required<Omit<TcpOptions, "bind" | "heartbeat">> & TcpOptions;
  readonly #deadline: number;
  /** By rank, once it has said hello or was reached. */
  readonly #wires: (Wire | undefined)[];
  readonly #opened = new Set<Wire>();
  readonly #turnedAway: string[] = [];
  /** Ends what still waits when all is lost. */
  readonly #stop = new AbortController();
  #listener: Deno.TcpListener | undefined;
  #accepting: Promise<void> | undefined;

  constructor(options: TcpOptions) {
    const { timeout = 30_000, maxMessageBytes = 2 ** 30, connectTimeout = timeout, run = "" } = options;
    this.#options = { ...options, timeout, maxMessageBytes, connectTimeout, run };
    this.#deadline = performance.now() + connectTimeout;
    this.#wires = new Array<Wire | undefined>(options.size).fill(undefined);
  }

  /** The connections to the other ranks, by rank. */
  async meet(): Promise<readonly (Wire | undefined)[]> {
    const { rank, size } = this.#options;
    try {
      if (size > 1) await (rank === 0 ? this.#host() : this.#join());
      return this.#wires;
    } catch (error) {
      this.#stop.abort();
      await this.#tellAll(error);
      this.#wires.fill(undefined);
      throw error;
    } finally {
      this.#stop.abort();
      await this.#closeListener();
      for (const wire of this.#opened) if (!this.#wires.includes(wire)) wire.close();
    }
  }

  async #host(): Promise<void> {
    const { size, host, port, bind = host } = this.#options, ready: Promise<unknown>[] = [];
    this.#listen(bind, port);
    // Whoever has come is watched at once, so that its loss is noticed before the last has come.
    const hellos = await this.#gather(size - 1, (wire) => ready[ready.length] = this.#expect(wire, kinds.ready));
    const addresses = this.#wires.map((_, rank) => {
      const hello = hellos.find((hello) => hello.rank === rank);
      return hello ? [hello.address, hello.port] : [];
    });
    const peers = this.#wires.filter((wire) => wire !== undefined);
    await Promise.all(peers.map((wire) => wire.writeJson(kinds.welcome, addresses)));
    await this.#before(Promise.all(ready), () => {
      return new TransportError(`Cannot connect: the ranks have not reached each other within ${this.#seconds()}`);
    });
    await Promise.all(peers.map((wire) => wire.writeJson(kinds.go, null)));
  }

  async #join(): Promise<void> {
    const { rank, host, port, bind } = this.#options;
    const first = await this.#connect(0, host, port), local = first.conn.localAddr.hostname;
    const listener = this.#listen(bind ?? local, 0), everywhere = bind === "0.0.0.0" || bind === "::";
    const address = everywhere ? local : bind ?? local, own = (listener.addr as Deno.NetAddr).port;
    await this.#introduce(first, address, own);
    // Rank 0 knows who is missing: it is given the time to say so.
    const addresses = await this.#before(this.#expect(first, kinds.welcome), () => {
      return new TransportError(`Cannot connect: not all ranks have come to rank 0 within ${this.#seconds()}`);
    }, 500);
    // From here on rank 0 says nothing but "go", or why not.
    const go = this.#expect(first, kinds.go);
    const mesh = Promise.all([
      this.#gather(this.#wires.length - 1 - rank, (wire) => wire.writeJson(kinds.welcome, null)),
      ...Array.from({ length: rank - 1 }, async (_, i) => {
        const [host, port] = addressOf(addresses, i + 1);
        const wire = await this.#connect(i + 1, host, port);
        await this.#introduce(wire, address, own);
        await this.#before(this.#expect(wire, kinds.welcome), () => this.#silent(i + 1));
      }),
    ]);
    await Promise.race([mesh, go.then(() => mesh)]);
    await first.writeJson(kinds.ready, null);
    await this.#before(go, () => this.#silent(0));
  }

  /** Accepts until `count` ranks have said hello; `welcome` is what to do with each. */
  async #gather(count: number, welcome: (wire: Wire) => Promise<unknown>): Promise<Hello[]> {
    const hellos: Hello[] = [], listener = this.#listener!;
    if (count === 0) return hellos;
    const all = new Promise<void>((resolve, reject) => {
      const greet = async (conn: Deno.TcpConn) => {
        const wire = new Wire(conn);
        this.#opened.add(wire);
        const hello = await this.#readHello(wire);
        if (!hello) return;
        welcome(wire).catch(reject);
        hellos.push(hello);
        if (hellos.length === count) resolve();
      };
      const accept = async () => {
        for (;;) greet(await listener.accept()).catch(reject);
      };
      this.#accepting = accept().catch(reject);
    });
    await this.#before(all, () => this.#missing());
    await this.#closeListener(); // The next group of these ranks may want the port, and is not to end up here.
    return hellos;
  }

  /** A rank that belongs here. Undefined: it does not; it is turned away, and the wait goes on. */
  async #readHello(wire: Wire): Promise<Hello | undefined> {
    const mine = this.#options, said = await wire.control();
    let wrong = said.wrong;
    if (said.wrong !== undefined && said.version) {
      throw new TransportError(`Cannot connect: ${wire.peer} ${said.wrong}`);
    }
    if (said.wrong === undefined) {
      const hello = said.value;
      if (said.kind !== kinds.hello || !isHello(hello)) wrong = "sent a message that is not ours: no hello";
      else if (hello.run !== mine.run) wrong = `belongs to run "${hello.run}", this is run "${mine.run}"`;
      else {
        const { rank } = hello;
        for (const what of ["size", "timeout", "maxMessageBytes"] as const) {
          if (hello[what] === mine[what]) continue;
          throw new TransportError(
            `Cannot connect: ${what} differs: ${hello[what]} on rank ${rank}, ${mine[what]} on rank ${mine.rank}`,
            { rank },
          );
        }
        if (rank === mine.rank || this.#wires[rank]) {
          throw new TransportError(`Cannot connect: rank ${rank} is taken twice, now also by ${wire.peer}`, { rank });
        }
        this.#wires[rank] = wire;
        return hello;
      }
    }
    this.#turnedAway.push(`${wire.peer} ${wrong}`);
    await this.#tell(wire, new TransportError(`Cannot connect: ${wire.peer} ${wrong}`));
    wire.close();
    this.#opened.delete(wire);
    return undefined;
  }

  async #introduce(wire: Wire, address: string, port: number): Promise<void> {
    const { rank, size, timeout, maxMessageBytes, run } = this.#options;
    await wire.writeJson(kinds.hello, { rank, size, timeout, maxMessageBytes, run, address, port } satisfies Hello);
  }

  /** The value of the next packet, which must be of this kind. */
  async #expect(wire: Wire, kind: number): Promise<unknown> {
    const said = await wire.control(), rank = this.#wires.indexOf(wire), cause = { rank: rank < 0 ? undefined : rank };
    const name = rank < 0 ? wire.peer : `rank ${rank} at ${wire.peer}`;
    if (said.wrong !== undefined) throw new TransportError(`Cannot connect: ${name} ${said.wrong}`, cause);
    if (said.kind === kinds.abort) throw readAbort(said.value, rank);
    if (said.kind === kind) return said.value;
    throw new TransportError(`Cannot connect: ${name} sent a packet of kind ${said.kind} instead of ${kind}`, cause);
  }

  #listen(hostname: string, port: number): Deno.TcpListener {
    try {
      return this.#listener = Deno.listen({ hostname, port });
    } catch (cause) {
      const where = `Cannot listen on ${hostname}:${port}`, { rank } = this.#options;
      if (cause instanceof Deno.errors.AddrInUse) {
        throw new TransportError(`${where}: the port is in use`, { rank, cause });
      }
      if (cause instanceof Deno.errors.AddrNotAvailable) {
        throw new TransportError(
          `${where}: this machine has no such address; give one of its own, or "0.0.0.0", as bind`,
          {
            rank,
            cause,
          },
        );
      }
      throw cause;
    }
  }

  async #closeListener(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    await this.#accepting; // Only now is the port free again.
  }

  /** Tries until the deadline: the other process may not have started yet. */
  async #connect(to: number, hostname: string, port: number): Promise<Wire> {
    const { signal } = this.#stop, timer = setTimeout(() => this.#stop.abort(), this.#deadline - performance.now());
    let last: unknown = "no answer";
    try {
      for (let pause = 20; !signal.aborted; pause = Math.min(2 * pause, 500)) {
        try {
          const conn = await Deno.connect({ hostname, port, signal }), { localAddr, remoteAddr } = conn;
          const wire = new Wire(conn);
          this.#opened.add(wire);
          // Where nobody listens, a connection to a port of this machine can end up connected with itself.
          const self = localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
          const stranger = self || await this.#before(wire.meet(), () => this.#silent(to));
          if (stranger === undefined) return this.#wires[to] = wire;
          this.#opened.delete(wire);
          wire.close();
          // One who ends the connection without a word was about to stop listening. Others will not change.
          if (stranger !== true && !stranger.silent) {
            throw new TransportError(`Cannot connect: rank ${to} at ${wire.peer} ${stranger.wrong}`, { rank: to });
          }
        } catch (error) {
          if (error instanceof Deno.errors.NotCapable || error instanceof TransportError) throw error;
          if (!signal.aborted) last = error;
        }
        await sleep(pause, signal);
      }
    } finally {
      clearTimeout(timer);
    }
    throw new TransportError(
      `Cannot reach rank ${to} at ${hostname}:${port} within ${this.#seconds()}: ${text(last)}`,
      { rank: to, cause: last },
    );
  }

  async #before<T>(work: Promise<T>, late: () => TransportError, grace = 0): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), this.#deadline + grace - performance.now());
    });
    try {
      return await Promise.race([work, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  #missing(): TransportError {
    const missing = [...this.#wires.keys()].filter((rank) => rank > this.#options.rank && !this.#wires[rank]);
    const names = missing.length === 1 ? `rank ${missing[0]}` : `ranks ${missing.join(", ")}`;
    const others = this.#turnedAway.slice(0, 3).map((who) => `; turned away: ${who}`).join("");
    return new TransportError(`Cannot connect: ${names} did not come within ${this.#seconds()}${others}`, {
      rank: missing[0],
    });
  }

  #silent(rank: number): TransportError {
    return new TransportError(`Cannot connect: rank ${rank} did not answer within ${this.#seconds()}`, { rank });
  }

  #seconds(): string {
    return `${this.#options.connectTimeout / 1000} s`;
  }

  /** As well as may be: the other end may not listen. Then gives it the time to read. */
  async #tellAll(error: unknown): Promise<void> {
    await Promise.all([...this.#opened].map((wire) => this.#tell(wire, error)));
    if (this.#opened.size > 0) await sleep(100);
  }

  async #tell(wire: Wire, error: unknown): Promise<void> {
    const told = wire.writeJson(kinds.abort, abortOf(error, this.#options.rank)).then(() => wire.conn.closeWrite());
    await soon(told, 500);
  }
}

/** What has arrived from one peer, and where to write to it. */
class Peer {
  readonly queue: Uint8Array[] = [];
  waiting = 0;
  readonly receivers: { resolve(message: Uint8Array): void; reject(error: unknown): void }[] = [];
  /** Buffers to read into; the one whose bytes were received last comes back with the next receive. */
  readonly #free: Uint8Array[] = [];
  #lent: Uint8Array | undefined;
  ended: TransportError | undefined;
  /** Resolves when nothing more is read. */
  reading: Promise<void> = Promise.resolve();
  /** Set while so much waits that nothing is read. */
  resume: (() => void) | undefined;

  constructor(readonly rank: number, readonly wire: Wire) {}

  buffer(length: number): Uint8Array {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const { byteLength } = this.#free[i]!;
      if (byteLength >= length && (best < 0 || byteLength < this.#free[best]!.byteLength)) best = i;
    }
    if (best >= 0) return this.#free.splice(best, 1)[0]!.subarray(0, length);
    if (this.#free.length > waitingPackets) this.#free.shift();
    return new Uint8Array(Math.max(64, length + (length >> 2))).subarray(0, length);
  }

  arrived(packet: Uint8Array): void {
    const receiver = this.receivers.shift();
    if (receiver) this.#lend(packet, receiver.resolve);
    else {
      this.queue.push(packet);
      this.waiting += packet.byteLength;
    }
  }

  receive(): Promise<Uint8Array> {
    const used = this.#lent?.buffer;
    if (used && used.byteLength <= pooledBytes) this.#free.push(new Uint8Array(used));
    this.#lent = undefined;
    return new Promise((resolve, reject) => {
      const packet = this.queue.shift();
      if (packet) {
        this.waiting -= packet.byteLength;
        this.resume?.();
        this.#lend(packet, resolve);
      } else if (this.ended) reject(this.ended);
      else this.receivers.push({ resolve, reject });
    });
  }

  #lend(packet: Uint8Array, resolve: (message: Uint8Array) => void): void {
    this.#lent = packet;
    resolve(packet);
  }

  end(error: TransportError): void {
    this.ended ??= error;
    for (const { reject } of this.receivers.splice(0)) reject(this.ended);
    this.resume?.();
  }
}

class TcpTransport implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly framing = framingBytes;
  readonly #peers: readonly (Peer | undefined)[];
  readonly #maxBytes: number;
  readonly #timeout: number;
  readonly #heartbeat: ReturnType<typeof setInterval> | undefined;
  #closing: Promise<void> | undefined;

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
      // The peer may have said why it went, and whom to blame: that is read soon, or was.
      await soon(peer.reading, 500);
      throw peer.ended ?? this.#lost(peer, text(cause), cause);
    }
  }

  async receive(from: number): Promise<Uint8Array> {
    return await this.#peer(from).receive();
  }

  async abort(reason: TransportError): Promise<void> {
    await this.#end(reason, kinds.abort, abortOf(reason, this.rank));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { rank } = this;
    const left = new TransportError(`Cannot exchange: this rank, ${rank}, has left the group`, { rank });
    await this.#end(left, kinds.bye, null);
  }

  #peer(rank: number): Peer {
    const peer = this.#peers[rank];
    if (peer) return peer;
    throw new RangeError(`Cannot exchange with rank ${rank}: this is rank ${this.rank} of ${this.size}`);
  }

  /** Tells all peers, then reads on until they have heard it: closing on unread bytes would take it back. */
  #end(reason: TransportError, kind: number, value: unknown): Promise<void> {
    return this.#closing ??= (async () => {
      clearInterval(this.#heartbeat);
      await Promise.all(this.#peers.map(async (peer) => {
        if (!peer) return;
        const open = !peer.ended;
        peer.end(reason);
        if (open) {
          await soon(peer.wire.writeJson(kind, value).then(() => peer.wire.conn.closeWrite()), lingerMs);
          await soon(peer.reading, lingerMs);
        }
        peer.wire.close();
        await peer.reading;
      }));
    })();
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
    // Nothing that is sent there would be read any more. The other end waits for this one to end, too.
    await soon(wire.conn.closeWrite(), lingerMs);
    if (!this.#closing) wire.close();
  }

  async #readUntilEnd(peer: Peer): Promise<TransportError> {
    const { wire, rank } = peer;
    while (await wire.next()) {
      const { kind, length } = wire;
      if (kind === kinds.data) {
        if (length > this.#maxBytes) {
          return this.#lost(peer, `it sent a packet of ${length} bytes, agreed are at most ${this.#maxBytes}`);
        }
        const packet = peer.buffer(length);
        await wire.read(packet);
        if (this.#closing) continue;
        peer.arrived(packet);
        while (peer.waiting > waitingBytes && peer.queue.length > waitingPackets && !peer.ended) {
          await new Promise<void>((resolve) => peer.resume = resolve);
          peer.resume = undefined;
          wire.heard = performance.now();
        }
      } else if (kind !== kinds.heartbeat) {
        if (length > controlBytes) {
          return this.#lost(peer, `it sent a packet of ${length} bytes, agreed are at most ${controlBytes}`);
        }
        const payload = new Uint8Array(length);
        await wire.read(payload);
        if (kind === kinds.bye) {
          return new TransportError(`Cannot exchange with rank ${rank}: it left the group`, { rank });
        }
        if (kind === kinds.abort) return readAbort(JSON.parse(new TextDecoder().decode(payload)), rank);
        return this.#lost(peer, `it sent what is not ours: a packet of kind ${kind}`);
      }
    }
    return this.#lost(peer, "the connection ended without a word, as when a process is killed");
  }

  #lost({ rank }: Peer, why: string, cause?: unknown): TransportError {
    return new TransportError(`Cannot exchange with rank ${rank}: it was lost: ${why}`, { rank, cause });
  }

  #beat(period: number): ReturnType<typeof setInterval> {
    let due = performance.now() + period;
    return setInterval(() => {
      const now = performance.now(), late = now - due > period;
      due = now + period;
      for (const peer of this.#peers) {
        if (!peer || peer.ended) continue;
        const { wire } = peer;
        if (wire.writing === 0 && now - wire.spoke > period / 2) wire.write(kinds.heartbeat, nothing).catch(() => {});
        // While this thread was busy, or does not read, it hears nobody: that is no peer's fault.
        if (late || peer.resume) wire.heard = now;
        if (now - wire.heard <= Math.max(this.#timeout, 3 * period)) continue;
        peer.end(this.#lost(peer, `nothing was heard from it for ${Math.round(now - wire.heard) / 1000} s`));
        wire.close();
      }
    }, period);
  }
}

const nothing = new Uint8Array(0);

function isHello(value: unknown): value is Hello {
  if (typeof value !== "object" || value === null) return false;
  const { rank, size, port, run, address } = value as Partial<Hello>;
  return typeof run === "string" && typeof address === "string" && Number.isInteger(port) &&
    Number.isInteger(size) && Number.isInteger(rank) && rank! >= 0 && rank! < size!;
}

function addressOf(addresses: unknown, rank: number): [host: string, port: number] {
  const place = Array.isArray(addresses) ? addresses[rank] : undefined;
  if (Array.isArray(place) && typeof place[0] === "string" && Number.isInteger(place[1])) return [place[0], place[1]];
  throw new TransportError(`Cannot connect: rank 0 does not tell where rank ${rank} is`, { rank: 0 });
}

/** Who is to blame and why, as the peers are told. */
function abortOf(error: unknown, own: number): { rank: number; message: string } {
  const rank = error instanceof TransportError ? error.rank ?? own : own;
  return { rank, message: text(error).slice(0, 4096) };
}

function readAbort(value: unknown, from: number): TransportError {
  const { rank, message } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  return new TransportError(`Cannot go on: rank ${from} gave up: ${message}`, {
    rank: Number.isInteger(rank) ? rank as number : from,
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
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
async function soon(work: Promise<unknown>, ms: number): Promise<void> {
  const stop = new AbortController();
  await Promise.race([work.catch(() => {}), sleep(ms, stop.signal)]);
  stop.abort();
}
