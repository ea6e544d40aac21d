/**
 * How the ranks of a TCP group meet.
 *
 * 1. Rank 0 listens at the address that all ranks were given.
 * 2. Every other rank connects to it and says hello: which rank it is, where it listens, and how long it waits.
 * 3. When all have come, rank 0 welcomes them with the list of their addresses.
 * 4. Every rank connects to the lower ranks, accepts the higher ranks, and tells rank 0 that it is ready.
 * 5. When all are ready, rank 0 says go.
 *
 * All ranks have one deadline, the earliest deadline of the ranks that have come. Rank 0 alone decides which rank is to
 * blame, because it alone hears from all. A rank that fails tells rank 0 why, and then waits a little for what rank 0
 * decides.
 *
 * @module
 */

import { seconds } from "../deadlines.ts";
import { abortError, abortOf, readAbort } from "./abort.ts";
import { Door, tell } from "./door.ts";
import type { Agreed, Hello } from "./hello.ts";
import { isFinal, listenAsHost, listenAsMember } from "./listen.ts";
import type { TcpOptions } from "./tcp_options.ts";
import { addressText, kinds, sleep, text, Wire } from "./wire.ts";
import { verdict } from "./verdict.ts";
import { TransportError } from "../transport.ts";

/**
 * How many milliseconds rank 0 waits, after the deadline, for what the others have to say. The others wait twice as long for
 * what rank 0 decides.
 */
const graceMs = 2000;

/** The meeting of one rank with the others. */
export class TcpMeeting {
  readonly #options: Agreed & Pick<TcpOptions, "host" | "port" | "bind"> & { readonly connectTimeout: number };
  /** When the wait for the others ends, by performance.now(). */
  #deadline: number;
  /** The rank that has this deadline, and how long that rank waits in all. */
  #whose: { readonly rank: number; readonly connectTimeout: number };
  /** The connection to each rank that has said hello or was reached. */
  readonly #wires: (Wire | undefined)[];
  /** All connections to ranks, and those that may turn out to lead to one. */
  readonly #opened = new Set<Wire>();
  /** Ends all waits when the ranks cannot meet any more. */
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<never>((_, reject) => {
    this.#stop.signal.addEventListener("abort", () => reject(new TransportError("Cannot connect: it was given up")));
  });
  #door: Door | undefined;

  constructor(options: TcpOptions) {
    const { rank, size, host, port, bind, run = "", timeout = 30_000, maxMessageBytes = 2 ** 30 } = options;
    const { connectTimeout = timeout } = options;
    this.#options = {
      rank,
      size,
      host,
      port,
      run,
      timeout,
      maxMessageBytes,
      connectTimeout,
      ...(bind === undefined ? {} : { bind }),
    };
    this.#stopped.catch(() => {}); // It may reject while nobody waits for it.
    this.#whose = { rank, connectTimeout };
    this.#deadline = performance.now() + connectTimeout;
    this.#wires = new Array<Wire | undefined>(size).fill(undefined);
  }

  /** Meets the other ranks. Returns the connections to them, by rank. */
  async meet(): Promise<readonly (Wire | undefined)[]> {
    const { rank, size } = this.#options;
    try {
      if (size > 1) await (rank === 0 ? this.#host() : this.#join());
      return this.#wires;
    } catch (error) {
      const failure = isFinal(error)
        ? error
        : new TransportError(`Cannot connect: ${text(error)}`, { rank, cause: error });
      const abort = abortOf(failure, rank);
      this.#door?.fail(abort);
      await Promise.all([...this.#opened].map((wire) => tell(wire, abort)));
      if (this.#opened.size > 0) await sleep(100); // The others need the time to read it before the connections close.
      this.#wires.fill(undefined);
      throw failure;
    } finally {
      this.#stop.abort();
      await this.#door?.close();
      for (const wire of this.#opened) if (!this.#wires.includes(wire)) wire.close();
    }
  }

  async #host(): Promise<void> {
    const { size, host, port, bind, connectTimeout } = this.#options;
    const listener = await listenAsHost(host, bind, port, { deadline: this.#deadline, connectTimeout });
    const hellos: Hello[] = [], peers: Wire[] = [];
    using reports = verdict(size, graceMs);
    const all = this.#gather(listener, size - 1, (hello, wire) => {
      hellos[hello.rank] = hello;
      peers.push(wire);
      this.#hasten(hello);
      // Each rank is listened to from the moment it has come, so that its loss is noticed before the last rank has come.
      wire.control().then((said) => reports.heard(hello.rank, wire.peer, said));
    });
    await Promise.race([all, reports.result]);
    const left = Math.max(0, Math.floor(this.#deadline - performance.now()));
    const addresses = this.#wires.map((_, rank) => hellos[rank] ? [hellos[rank].address, hellos[rank].port] : []);
    // A connection that is broken is noticed by reading from it.
    for (const wire of peers) wire.writeJson(kinds.welcome, [...addresses, left]).catch(() => {});
    await this.#before(reports.result, () => reports.late(this.#limit()), graceMs);
    await Promise.all(peers.map((wire) => wire.writeJson(kinds.go, null).catch(() => {})));
  }

  async #join(): Promise<void> {
    const { rank, host, port, bind } = this.#options;
    const { first, addresses, address, listener } = await this.#enter(host, port, bind);
    // From here on rank 0 sends one more packet only: go, or an abort.
    const go = this.#expect(first, kinds.go);
    go.catch(() => {});
    try {
      const own = (listener.addr as Deno.NetAddr).port;
      const mesh = Promise.all([
        this.#gather(listener, this.#wires.length - 1 - rank, (_, wire) => {
          wire.writeJson(kinds.welcome, null).catch(() => {}); // A failure shows in the first round, or is told by rank 0.
        }),
        ...Array.from({ length: rank - 1 }, async (_, i) => {
          const [host, port] = addressOf(addresses, i + 1), at = host === "" ? first.conn.remoteAddr.hostname : host;
          for (;;) {
            const wire = await this.#connect(i + 1, at, port);
            await this.#introduce(wire, address, own);
            if (await this.#before(this.#answer(wire, kinds.welcome), () => this.#silent(i + 1))) return;
          }
        }),
      ]);
      await Promise.race([mesh, go.then(() => mesh)]);
      await first.writeJson(kinds.ready, null);
    } catch (error) {
      return await this.#complain(first, go, error);
    }
    await this.#before(go, () => this.#mute("whether all ranks have reached each other"), 2 * graceMs);
  }

  /** Connects to rank 0, says hello, and waits for the list of all addresses. */
  async #enter(host: string, port: number, bind: string | undefined): Promise<Welcome> {
    const { rank } = this.#options;
    for (;;) {
      const first = await this.#connect(0, host, port), local = first.conn.localAddr.hostname;
      const { listener, address } = listenAsMember(host, bind, local, rank);
      try {
        await this.#introduce(first, address, (listener.addr as Deno.NetAddr).port);
        // Rank 0 knows which ranks are missing, and gets the time to say so.
        const answer = this.#answer(first, kinds.welcome);
        const welcome = await this.#before(answer, () => this.#mute("who is missing"), 2 * graceMs);
        if (!welcome) {
          listener.close();
          continue;
        }
        const addresses = welcome.value,
          left: unknown = Array.isArray(addresses) ? addresses[this.#options.size] : undefined;
        if (typeof left === "number" && left >= 0) this.#deadline = Math.min(this.#deadline, performance.now() + left);
        return { first, addresses, address, listener };
      } catch (error) {
        listener.close();
        throw error;
      }
    }
  }

  /** Tells rank 0 why this rank cannot go on, and throws the reason that rank 0 then gives to all. */
  async #complain(first: Wire, go: Promise<unknown>, error: unknown): Promise<void> {
    await tell(first, abortOf(error, this.#options.rank), false);
    const verdict = await Promise.race([
      go.then(() => undefined, (reason: unknown) => reason),
      sleep(2 * graceMs, this.#stop.signal),
    ]);
    throw verdict ?? error;
  }

  /** Accepts connections until `count` ranks have said hello, and calls `welcome` for each. */
  async #gather(
    listener: Deno.TcpListener,
    count: number,
    welcome: (hello: Hello, wire: Wire) => void,
  ): Promise<void> {
    if (count === 0) return listener.close();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let come = 0;
    const door = this.#door = new Door(listener, {
      ...this.#options,
      taken: (rank) => rank <= this.#options.rank || this.#wires[rank] !== undefined,
      welcome: (hello, wire) => {
        this.#opened.add(wire);
        this.#wires[hello.rank] = wire;
        welcome(hello, wire);
        if (++come === count) resolve();
      },
      fail: reject,
    });
    await this.#before(promise, () => this.#missing(door.turnedAway));
    await door.close(); // The next group of these ranks may use this port, and must not be met by this door.
  }

  /** Takes over the deadline of a rank that gives up earlier than this one: all ranks would fail with it. */
  #hasten({ rank, connectTimeout, left }: Hello): void {
    if (connectTimeout === undefined || left === undefined) return;
    const deadline = performance.now() + left;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.#whose = { rank, connectTimeout };
  }

  async #introduce(wire: Wire, address: string, port: number): Promise<void> {
    const { rank, size, timeout, maxMessageBytes, run, connectTimeout } = this.#options;
    const left = Math.max(0, Math.floor(this.#deadline - performance.now()));
    const hello: Hello = { rank, size, timeout, maxMessageBytes, run, address, port, connectTimeout, left };
    await wire.writeJson(kinds.hello, hello).catch(() => {}); // Reading from the connection shows what is wrong.
  }

  /** The next packet, which must be of this kind. Undefined where the other end asks this rank to connect again. */
  async #answer(wire: Wire, kind: number): Promise<{ readonly value: unknown } | undefined> {
    const said = await wire.control(), rank = this.#wires.indexOf(wire), cause = { rank: rank < 0 ? undefined : rank };
    const name = rank < 0 ? wire.peer : `rank ${rank} at ${wire.peer}`;
    if (said.wrong !== undefined) throw new TransportError(`Cannot connect: ${name} ${said.wrong}`, cause);
    if (said.kind === kinds.abort) {
      const abort = readAbort(said.value, rank);
      if (abort.away !== "later") throw abortError(abort);
      this.#forget(wire);
      await sleep(100, this.#stop.signal);
      return undefined;
    }
    if (said.kind === kind) return said;
    throw new TransportError(`Cannot connect: ${name} sent a packet of kind ${said.kind} instead of ${kind}`, cause);
  }

  async #expect(wire: Wire, kind: number): Promise<unknown> {
    const { peer } = wire, answer = await this.#answer(wire, kind);
    if (answer) return answer.value;
    throw new TransportError(`Cannot connect: ${peer} turned this rank away after it had let it in`, { rank: 0 });
  }

  #forget(wire: Wire): void {
    const rank = this.#wires.indexOf(wire);
    if (rank >= 0) this.#wires[rank] = undefined;
    this.#opened.delete(wire);
    wire.close();
  }

  /** Connects, and tries again until the deadline: the other process may not run yet, and its name may not be known yet. */
  async #connect(to: number, hostname: string, port: number): Promise<Wire> {
    const end = new AbortController(), signal = AbortSignal.any([this.#stop.signal, end.signal]);
    const timer = setTimeout(() => end.abort(), this.#deadline - performance.now());
    let last: unknown = "no answer";
    try {
      for (let pause = 20; !signal.aborted; pause = Math.min(2 * pause, 500)) {
        try {
          const wire = await this.#reach(to, await Deno.connect({ hostname, port, signal }));
          if (wire) return this.#wires[to] = wire;
        } catch (error) {
          if (isFinal(error)) throw error;
          if (!signal.aborted) last = error;
        }
        await sleep(pause, signal);
      }
    } finally {
      clearTimeout(timer);
    }
    throw new TransportError(
      `Cannot reach rank ${to} at ${addressText(hostname, port)} within ${this.#limit()}: ${
        text(last)
      }; connectTimeout raises the limit`,
      { rank: to, cause: last },
    );
  }

  /** The connection, if a rank is at its other end. Undefined where a rank may be there later. */
  async #reach(to: number, conn: Deno.TcpConn): Promise<Wire | undefined> {
    if (this.#stop.signal.aborted) {
      conn.close();
      return undefined;
    }
    const { localAddr, remoteAddr } = conn, wire = new Wire(conn);
    this.#opened.add(wire);
    // Where nobody listens, TCP may connect a port of this machine with itself.
    const self = localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
    const stranger = self || await this.#before(wire.meet(), () => this.#silent(to));
    if (stranger === undefined) return wire;
    this.#forget(wire);
    // Whoever ends the connection without a word has just stopped listening. Whoever speaks otherwise will not change.
    if (stranger === true || stranger.silent) return undefined;
    throw new TransportError(`Cannot connect: rank ${to} at ${wire.peer} ${stranger.wrong}`, { rank: to });
  }

  /** The result of `work`, or the error `late()` once the deadline is over. The deadline may come nearer while this waits. */
  async #before<T>(work: Promise<T>, late: () => TransportError, grace = 0): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const arm = () => {
        const left = this.#deadline + grace - performance.now();
        if (left <= 0) reject(late());
        else timer = setTimeout(arm, Math.min(left, 100));
      };
      arm();
    });
    try {
      return await Promise.race([work, deadline, this.#stopped]);
    } finally {
      clearTimeout(timer);
    }
  }

  #missing(turnedAway: string): TransportError {
    const missing = [...this.#wires.keys()].filter((rank) => rank > this.#options.rank && !this.#wires[rank]);
    const names = missing.length === 1 ? `rank ${missing[0]}` : `ranks ${missing.join(", ")}`;
    return new TransportError(
      `Cannot connect: ${names} did not come within ${this.#limit()}${turnedAway}; connectTimeout raises the limit`,
      { rank: missing[0] },
    );
  }

  #silent(rank: number): TransportError {
    return new TransportError(
      `Cannot connect: rank ${rank} did not answer within ${this.#limit()}; connectTimeout raises the limit`,
      { rank },
    );
  }

  #mute(what: string): TransportError {
    return new TransportError(
      `Cannot connect: rank 0 has not said ${what} within ${this.#limit()}; connectTimeout raises the limit`,
      { rank: 0 },
    );
  }

  #limit(): string {
    const { rank, connectTimeout } = this.#whose, limit = seconds(connectTimeout);
    return rank === this.#options.rank ? limit : `${limit} of rank ${rank}'s start`;
  }
}

/** What a rank has when rank 0 has welcomed it. */
interface Welcome {
  /** The connection to rank 0. */
  readonly first: Wire;
  /** What rank 0 says of where the ranks listen. */
  readonly addresses: unknown;
  /** Where this rank listens. */
  readonly address: string;
  readonly listener: Deno.TcpListener;
}

/** Where a rank listens, by the list of rank 0. */
function addressOf(addresses: unknown, rank: number): [host: string, port: number] {
  const place = Array.isArray(addresses) ? addresses[rank] : undefined;
  if (Array.isArray(place) && typeof place[0] === "string" && Number.isInteger(place[1])) return [place[0], place[1]];
  throw new TransportError(`Cannot connect: rank 0 does not tell where rank ${rank} is`, { rank: 0 });
}
