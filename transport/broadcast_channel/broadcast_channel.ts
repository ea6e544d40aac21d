import { checkDeadlines, type Deadlines, deadlines } from "../deadlines.ts";
import { checkInteger, checkOptions } from "../../options.ts";
import type { BlockingCollective, Collective, WireRound } from "../round.ts";
import { requireBlocking } from "../shared_memory/require_blocking.ts";
import { allocate, type GroupMemory, meet, pause } from "../shared_memory/rendezvous.ts";
import { RoundMemory } from "../shared_memory/round_memory.ts";
import { SharedRounds } from "../shared_memory/shared_rounds.ts";
import { Rings, ringsByteLength } from "../shared_memory/rings.ts";
import type { Transport } from "../transport.ts";
import { onUncaught } from "../uncaught.ts";

/** A rank that awaits looks so many times at once, and then every millisecond. */
const eagerLooks = 8;

/** Options of {@link broadcastChannel}, {@link broadcastChannelAsync} and {@link broadcastChannelTransport}. */
export interface BroadcastChannelOptions extends Deadlines {
  /** What the ranks call their group: the same for all of them, different from that of other groups. */
  readonly name: string;
  /** This worker's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /**
   * The most bytes that a rank may hand over at once: a multiple of 64, the same for all ranks. Default 16 MiB, of a
   * transport 256 KiB. Longer messages go in parts, and are copied. Twice as much is reserved for each rank; the system
   * provides the pages that are touched.
   */
  readonly capacity?: number;
  /**
   * The group's memory, where rank 0 cannot announce it: Chromium's BroadcastChannel (156) does not carry it. Make it
   * once with {@link groupMemory} and post it to every worker.
   */
  readonly memory?: GroupMemory;
}

/**
 * Allocates the memory of a group, to be posted to its workers and given to each as the option `memory`.
 *
 * @param options the group's size and capacity, as the ranks have them
 * @returns memory that serves one group, once
 * @throws {RangeError} if size or capacity is out of range
 *
 * @example
 * ```ts
 * import { broadcastChannelAsync, groupMemory } from "@gradwire/tfjs/transport";
 * const memory = groupMemory({ size: 1 }); // in a page: for (const worker of workers) worker.postMessage({ memory });
 * await using group = await broadcastChannelAsync({ name: "page", rank: 0, size: 1, memory });
 * ```
 */
export function groupMemory(options: GroupMemoryOptions): GroupMemory {
  const { size, capacity = 1 << 24 } = options;
  check({ ...options, name: "memory", rank: 0 });
  return allocate(size, RoundMemory.byteLength(size, capacity));
}

/**
 * Options of {@link groupMemory}: those that the ranks have. Deadlines are accepted, so that the same object can serve,
 * and ignored.
 */
export type GroupMemoryOptions = Pick<BroadcastChannelOptions, "size" | "capacity"> & Deadlines;

/**
 * Connects the workers of one process, or of one page, as a group whose rounds block.
 *
 * Rank 0 announces a SharedArrayBuffer on a BroadcastChannel and every rank acknowledges it. From then on they exchange
 * through that memory, and wait with `Atomics.wait`; no thread stands between them. Replies are views of the shared
 * memory, valid until the next round; where an API refuses shared memory, as `TextDecoder` does in browsers, copy them
 * with `slice`.
 *
 * A rank that throws, exits or is disposed of says so in the shared memory, and the others throw a TransportError that
 * names it. A rank that is terminated from outside cannot, and the others name it after `timeout`.
 *
 * Of `traffic`, `sentBytes` counts what the others read of this rank's bytes, and `receivedBytes` what this rank reads
 * of theirs. With n ranks both are 8 d (n − 1) / n for the sum of d floats, and 4 d (n − 1) for up to 8 192 floats.
 *
 * @param options the group's name, this rank's number, and how many ranks there are
 * @returns the group, when all ranks have the memory. Disposing of it tells the others
 * @throws {TypeError} on the main thread of a page, which must not block: train in a Worker, or use minimizeAsync with
 *   `broadcastChannelAsync`
 * @throws {RangeError} if an option is out of range
 * @throws {TransportError} if a rank does not join in time, or asks for another size or capacity
 * @example
 * ```ts
 * import { broadcastChannel } from "@gradwire/tfjs/transport";
 * using group = await broadcastChannel({ name: "example", rank: 0, size: 1 });
 * const vector = Float32Array.of(1, 2);
 * group.perform({ op: "allReduce", vector });
 * ```
 */
export async function broadcastChannel(options: BroadcastChannelOptions): Promise<BlockingCollective> {
  requireBlocking();
  const { rounds, memory, leave } = await join(options);
  const { rank, size, traffic } = rounds, spins = spinsFor(size);
  let started = false;
  /**
   * Hands over as much as one segment holds at once, so that a rank that then computes keeps nobody waiting for that.
   */
  function start(round: WireRound): () => readonly Uint8Array[] {
    if (started) throw new Error(`Cannot perform ${round.op}: the round before has not been waited for`);
    const waiting = rounds.perform(round);
    let next = waiting.next();
    started = true;
    return () => {
      started = false;
      for (; !next.done; next = waiting.next()) memory.sleep(next.value, spins);
      return next.value;
    };
  }
  return {
    rank,
    size,
    traffic,
    uniform: true,
    perform: (round) => start(round)(),
    start,
    abort: (reason) => rounds.abort(reason),
    [Symbol.dispose]: leave,
  };
}

/**
 * As {@link broadcastChannel}, for threads that must not block, such as a page's main thread: rounds are awaited. Ranks
 * of either kind can meet in one group.
 *
 * A rank that waits looks every millisecond, because `Atomics.waitAsync` does not wake the event loop of Deno (2.9).
 *
 * @param options the group's name, this rank's number, and how many ranks there are
 * @returns the group, when all ranks have the memory. Disposing of it tells the others
 * @throws {RangeError} if an option is out of range
 * @throws {TransportError} if a rank does not join in time, or asks for another size or capacity
 * @example
 * ```ts
 * import { broadcastChannelAsync } from "@gradwire/tfjs/transport";
 * await using group = await broadcastChannelAsync({ name: "example", rank: 0, size: 1 });
 * await group.perform({ op: "broadcast", root: 0, message: Uint8Array.of(1) });
 * ```
 */
export async function broadcastChannelAsync(options: BroadcastChannelOptions): Promise<Collective> {
  const { rounds, leave } = await join(options);
  const { rank, size, traffic } = rounds;
  let last: Promise<unknown> = Promise.resolve();
  async function perform(round: WireRound): Promise<readonly Uint8Array[]> {
    const waiting = rounds.perform(round);
    for (let looks = 0;; looks++) {
      const next = waiting.next();
      if (next.done) return next.value;
      await pause(looks < eagerLooks ? 0 : 1);
    }
  }
  return {
    rank,
    size,
    traffic,
    uniform: true,
    // deno-lint-ignore require-await -- what goes wrong must reject, not throw
    abort: async (reason) => rounds.abort(reason),
    perform(round: WireRound): Promise<readonly Uint8Array[]> {
      const result = last.then(() => perform(round));
      last = result.catch(() => {});
      return result;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(leave()),
  };
}

/**
 * Connects the workers of one process, or of one page, by a transport: for each pair of ranks and direction a ring of
 * `capacity` bytes in shared memory, read and written without blocking.
 *
 * Every sixth of `timeout` a rank gives a sign of life. One that gives none for `timeout`, because it was terminated or
 * its thread is busy, is lost to those that wait for it.
 *
 * @param options the group's name, this rank's number, and how many ranks there are
 * @returns this rank's transport, when all ranks have the memory
 * @throws {RangeError} if an option is out of range
 * @throws {TransportError} if a rank does not join in time, or asks for another size or capacity
 * @example
 * ```ts
 * import { broadcastChannelTransport } from "@gradwire/tfjs/transport";
 * const join = (rank: number) => broadcastChannelTransport({ name: "pair", rank, size: 2 });
 * const [first, second] = await Promise.all([join(0), join(1)]);
 * await first.send(1, Uint8Array.of(7));
 * console.assert((await second.receive(0))[0] === 7);
 * for (const transport of [first, second]) await transport[Symbol.asyncDispose]();
 * ```
 */
export async function broadcastChannelTransport(
  options: Omit<BroadcastChannelOptions, "memory" | "roundTimeout">,
): Promise<Transport> {
  const { name, rank, size, timeout = 30_000, connectTimeout = timeout, capacity = 1 << 18 } = options;
  check({ ...options, capacity });
  const byteLength = ringsByteLength(size, capacity);
  const memory = await meet({ name: `${name} rings`, rank, size, connectTimeout, capacity, byteLength });
  const rings = new Rings(memory, rank, size, capacity, timeout), stop = onDeath(rank, (why) => void rings.close(why));
  return {
    rank,
    size,
    framing: rings.framing,
    send: (to, message) => rings.send(to, message),
    receive: (from) => rings.receive(from),
    lastSign: (from) => rings.lastSign(from),
    abort(reason) {
      stop();
      return rings.abort(reason);
    },
    [Symbol.asyncDispose]() {
      stop();
      return rings[Symbol.asyncDispose]();
    },
  };
}

async function join(options: BroadcastChannelOptions): Promise<{
  rounds: SharedRounds;
  memory: RoundMemory;
  leave: () => void;
}> {
  check(options);
  const { name, rank, size, timeout = 30_000, connectTimeout = timeout, roundTimeout, capacity = 1 << 24 } = options;
  const byteLength = RoundMemory.byteLength(size, capacity);
  const buffer = await meet({ name, rank, size, connectTimeout, capacity, byteLength, memory: options.memory });
  const memory = new RoundMemory(buffer, size, capacity);
  const rounds = new SharedRounds(memory, rank, timeout, roundTimeout),
    stop = onDeath(rank, (why) => rounds.close(why));
  return {
    rounds,
    memory,
    leave() {
      stop();
      rounds.close();
    },
  };
}

function check(given: BroadcastChannelOptions): void {
  const options = checkOptions("connect", given, ["name", "rank", "size", ...deadlines, "capacity", "memory"]);
  const { name, rank, size, capacity = 1 << 24 } = options;
  const refuse = (what: string, got: unknown, expected: string) => {
    throw new RangeError(`Cannot connect group ${name}: ${what} is ${got}, expected ${expected}`);
  };
  checkInteger(`connect group ${name}`, "size", size, 1, 1024);
  checkInteger(`connect group ${name}`, "rank", rank, 0, size - 1);
  checkDeadlines(`connect group ${name}`, options);
  if (!(Number.isInteger(capacity) && capacity % 64 === 0 && capacity >= 64 * size && capacity < 2 ** 31)) {
    refuse("capacity", capacity, `a multiple of 64 from ${64 * size} to 2³¹`);
  }
  if (typeof SharedArrayBuffer === "undefined") {
    throw new TypeError(
      `Cannot connect group ${name}: there is no shared memory here; a page must be cross-origin isolated ` +
        "(headers Cross-Origin-Opener-Policy: same-origin, Cross-Origin-Embedder-Policy: require-corp)",
    );
  }
}

/**
 * How often a rank looks before it sleeps: where each rank has a core, to look for some microseconds is cheaper than to
 * sleep.
 */
function spinsFor(size: number): number {
  return size <= (globalThis.navigator?.hardwareConcurrency ?? 1) ? 2000 : 0;
}

/** The events with which threads end: of workers, and of pages. */
const ends = ["unload", "pagehide"];

/**
 * Calls `tell` when this thread fails or ends, with what the others are told of it. Returns a function that stops that.
 */
function onDeath(rank: number, tell: (why: string) => void): () => void {
  const ended = () => tell(`rank ${rank} ended`);
  const stop = onUncaught((error) => tell(`rank ${rank} failed: ${String(error)}`));
  for (const end of ends) globalThis.addEventListener?.(end, ended);
  return () => {
    stop();
    for (const end of ends) globalThis.removeEventListener?.(end, ended);
  };
}
