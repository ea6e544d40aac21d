/**
 * How the ranks of a TCP group find each other.
 *
 * Rank 0 listens where all agreed. Each other rank connects to it and says hello: who it is, where it listens, and how long
 * it waits. When all have come, rank 0 sends everybody the list; each rank connects to the lower ones and is connected by
 * the higher ones, tells rank 0 that it is ready, and goes on when rank 0 has heard so from all.
 *
 * All have one deadline: the earliest of those whose ranks have come. Rank 0 alone decides whom to blame, because it alone
 * hears from all: a rank that fails on its own tells rank 0 why, and waits a little for what rank 0 makes of it.
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

/** After the deadline rank 0 waits so long for what the others say; and they wait twice as long for what rank 0 says. */
const graceMs = 2000;

/** How the ranks find each other. */
export class Rendezvous {
  readonly #options: Agreed & Pick<TcpOptions, "host" | "port" | "bind"> & { readonly connectTimeout: number };
  #deadline: number;
  /** Whose deadline that is, and how long that rank waits in all. */
  #whose: { readonly rank: number; readonly connectTimeout: number };
  /** By rank, once it has said hello or was reached. */
  readonly #wires: (Wire | undefined)[];
  readonly #opened = new Set<Wire>();
  /** Ends what still waits when all is lost. */
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
    this.#stopped.catch(() => {}); // It need not be awaited by anybody.
    this.#whose = { rank, connectTimeout };
    this.#deadline = performance.now() + connectTimeout;
    this.#wires = new Array<Wire | undefined>(size).fill(undefined);
  }

  /** The connections to the other ranks, by rank. */
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
      if (this.#opened.size > 0) await sleep(100); // Everybody is given the time to read it.
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
      // Whoever has come is heard at once, so that its loss is noticed before the last has come.
      wire.control().then((said) => reports.heard(hello.rank, wire.peer, said));
    });
    await Promise.race([all, reports.result]);
    const left = Math.max(0, Math.floor(this.#deadline - performance.now()));
    const addresses = this.#wires.map((_, rank) => hellos[rank] ? [hellos[rank].address, hellos[rank].port] : []);
    // What goes wrong with a connection is told by reading from it.
    for (const wire of peers) wire.writeJson(kinds.welcome, [...addresses, left]).catch(() => {});
    await this.#before(reports.result, () => reports.late(this.#limit()), graceMs);
    await Promise.all(peers.map((wire) => wire.writeJson(kinds.go, null).catch(() => {})));
  }

  async #join(): Promise<void> {
    const { rank, host, port, bind } = this.#options;
    const { first, addresses, address, listener } = await this.#enter(host, port, bind);
    // From here on rank 0 says nothing but "go", or why not.
    const go = this.#expect(first, kinds.go);
    go.catch(() => {});
    try {
      const own = (listener.addr as Deno.NetAddr).port;
      const mesh = Promise.all([
        this.#gather(listener, this.#wires.length - 1 - rank, (_, wire) => {
          wire.writeJson(kinds.welcome, null).catch(() => {}); // The first round, or rank 0, tells.
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

  /** Connects to rank 0 and waits for the list of all ranks. */
  async #enter(host: string, port: number, bind: string | undefined): Promise<Entry> {
    const { rank } = this.#options;
    for (;;) {
      const first = await this.#connect(0, host, port), local = first.conn.localAddr.hostname;
      const { listener, address } = listenAsMember(host, bind, local, rank);
      try {
        await this.#introduce(first, address, (listener.addr as Deno.NetAddr).port);
        // Rank 0 knows who is missing: it is given the time to say so.
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

  /** Tells rank 0 why this rank cannot go on, and fails for the reason that rank 0 then gives to all. */
  async #complain(first: Wire, go: Promise<unknown>, error: unknown): Promise<void> {
    await tell(first, abortOf(error, this.#options.rank), false);
    const verdict = await Promise.race([
      go.then(() => undefined, (reason: unknown) => reason),
      sleep(2 * graceMs, this.#stop.signal),
    ]);
    throw verdict ?? error;
  }

  /** Accepts until `count` ranks have said hello; `welcome` is what to do with each. */
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
    await door.close(); // The next group of these ranks may want the port, and is not to end up here.
  }

  /** A rank that gives up earlier than this one ends the wait for all. */
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
    await wire.writeJson(kinds.hello, hello).catch(() => {}); // Reading from it tells what is wrong.
  }

  /** The next packet, which must be of this kind. Undefined: this rank is to try again. */
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

  /** Tries until the deadline: the other process may not have started yet, or its name not be known. */
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

  /** The connection, if the other end speaks as a rank does. Undefined: it may do so later. */
  async #reach(to: number, conn: Deno.TcpConn): Promise<Wire | undefined> {
    if (this.#stop.signal.aborted) {
      conn.close();
      return undefined;
    }
    const { localAddr, remoteAddr } = conn, wire = new Wire(conn);
    this.#opened.add(wire);
    // Where nobody listens, a connection to a port of this machine can end up connected with itself.
    const self = localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
    const stranger = self || await this.#before(wire.meet(), () => this.#silent(to));
    if (stranger === undefined) return wire;
    this.#forget(wire);
    // One who ends the connection without a word was about to stop listening. Others will not change.
    if (stranger === true || stranger.silent) return undefined;
    throw new TransportError(`Cannot connect: rank ${to} at ${wire.peer} ${stranger.wrong}`, { rank: to });
  }

  /** The result of `work`, or the error `late()` once the deadline is over, which may come nearer meanwhile. */
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

interface Entry {
  readonly first: Wire;
  readonly addresses: unknown;
  readonly address: string;
  readonly listener: Deno.TcpListener;
}

function addressOf(addresses: unknown, rank: number): [host: string, port: number] {
  const place = Array.isArray(addresses) ? addresses[rank] : undefined;
  if (Array.isArray(place) && typeof place[0] === "string" && Number.isInteger(place[1])) return [place[0], place[1]];
  throw new TransportError(`Cannot connect: rank 0 does not tell where rank ${rank} is`, { rank: 0 });
}
