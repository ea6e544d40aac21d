import type { BlockingCollective, Collective, WireRound } from "./round.ts";
import { listed, Rounds, SharedMemory } from "./shared_memory.ts";
import { TransportError } from "./transport.ts";

/** Who meets whom. */
export interface BroadcastChannelOptions {
  /** What the ranks call their group: the same for all of them, different from that of other groups. */
  readonly name: string;
  /** This worker's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /** How long to wait for another rank, in milliseconds. Default 30 000. */
  readonly timeout?: number;
  /**
   * Bytes that a rank may hand over at once, the same for all ranks; what is longer goes in parts, and is copied.
   * Default 16 MiB. The memory reserved is twice that for each rank; the system provides what is touched.
   */
  readonly capacity?: number;
}

/**
 * Connects the workers of one process, or of one page: rank 0 announces a SharedArrayBuffer on a BroadcastChannel, every
 * rank acknowledges, and from then on they exchange through that memory and block with `Atomics.wait`; there is no thread
 * between them. Replies are views of the shared memory, valid until the next round; where an API refuses shared memory
 * (`TextDecoder` in browsers), copy them with `slice`.
 *
 * A rank that throws, exits or is disposed of says so in the shared memory, and the others throw a TransportError that
 * names it; a rank that is terminated from outside cannot, and the others name it after `timeout`.
 *
 * Traffic: `sentBytes` is what the others read of this rank's bytes, `receivedBytes` what this rank reads of theirs. All
 * ranks of a sum of d floats read and are read 8 d (n − 1) / n bytes, up to 2 048 floats 4 d (n − 1).
 *
 * @throws {TypeError} on the main thread of a page, which must not block: train in a Worker, or use minimizeAsync with
 * `broadcastChannelAsync`
 * @throws {RangeError} if an option is out of range
 * @throws {TransportError} if a rank does not join in time, or asks for another size or capacity
 *
 * @example
 * ```ts
 * import { broadcastChannel } from "@gradwire/tfjs/transport";
 * using group = await broadcastChannel({ name: "example", rank: 0, size: 1 });
 * const vector = Float32Array.of(1, 2);
 * group.perform({ op: "allReduce", vector });
 * ```
 */
export async function broadcastChannel(options: BroadcastChannelOptions): Promise<BlockingCollective> {
  checkBlocking();
  const { rounds, memory, leave } = await join(options);
  const { rank, size, traffic } = rounds, spins = spinsFor(size);
  return {
    rank,
    size,
    traffic,
    perform(round: WireRound): readonly Uint8Array[] {
      const waits = rounds.perform(round);
      for (;;) {
        const next = waits.next();
        if (next.done) return next.value;
        memory.sleep(next.value, spins);
      }
    },
    [Symbol.dispose]: leave,
  };
}

/**
 * The same group for threads that must not block, such as a page's main thread: rounds are awaited. Ranks of either kind
 * meet in one group. A waiting rank looks every millisecond (`Atomics.waitAsync` does not wake Deno's event loop, 2.9).
 *
 * @throws {RangeError} if an option is out of range
 * @throws {TransportError} if a rank does not join in time, or asks for another size or capacity
 *
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
    const waits = rounds.perform(round);
    for (let looks = 0;; looks++) {
      const next = waits.next();
      if (next.done) return next.value;
      await pause(looks < 8 ? 0 : 1);
    }
  }
  return {
    rank,
    size,
    traffic,
    perform(round: WireRound): Promise<readonly Uint8Array[]> {
      const result = last.then(() => perform(round));
      last = result.catch(() => {});
      return result;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(leave()),
  };
}

/** What is said on the channel. The answer to a greeting is the memory; who has it acknowledges in the memory itself. */
type Packet =
  & { readonly gradwire: 1 }
  & (
    | { readonly type: "open"; readonly from: string }
    | {
      readonly type: "hello";
      readonly from: string;
      readonly rank: number;
      readonly size: number;
      readonly capacity: number;
    }
    | { readonly type: "memory"; readonly to: string; readonly memory: SharedArrayBuffer }
    | { readonly type: "refused"; readonly why: string }
  );
type Sent = Packet extends infer P ? P extends Packet ? Omit<P, "gradwire"> : never : never;

async function join(options: BroadcastChannelOptions): Promise<{
  rounds: Rounds;
  memory: SharedMemory;
  leave: () => void;
}> {
  const { name, rank, size, timeout = 30_000, capacity = 1 << 24 } = options;
  check(options);
  const memory = await meet({ name, rank, size, timeout, capacity });
  const rounds = new Rounds(memory, rank, timeout);
  const died = (event: Event) => {
    if (event.defaultPrevented) return;
    const { error, reason } = event as { error?: unknown; reason?: unknown };
    rounds.close(
      event.type === "error" || event.type === "unhandledrejection"
        ? `rank ${rank} failed: ${String(error ?? reason)}`
        : `rank ${rank} ended`,
    );
  };
  const deaths = ["error", "unhandledrejection", "unload", "pagehide"];
  for (const death of deaths) globalThis.addEventListener(death, died);
  return {
    rounds,
    memory,
    leave() {
      for (const death of deaths) globalThis.removeEventListener(death, died);
      rounds.close();
    },
  };
}

/** The memory of the group, once every rank has it. */
async function meet({ name, rank, size, timeout, capacity }: Required<BroadcastChannelOptions>): Promise<SharedMemory> {
  const me = crypto.randomUUID(), members = new Map<number, string>();
  const channel = new BroadcastChannel(`gradwire ${name}`);
  const say = (packet: Sent) => channel.postMessage({ gradwire: 1, ...packet });
  let memory = rank === 0 ? new SharedMemory(SharedMemory.allocate(size, capacity), size, capacity) : undefined;
  let refused: string | undefined;
  function refuse(why: string): void {
    if (refused !== undefined) return;
    say({ type: "refused", why: refused = why });
  }
  channel.onmessage = ({ data }: MessageEvent<Packet>) => {
    if (data?.gradwire !== 1) return;
    if (data.type === "refused") refused ??= data.why;
    else if (data.type === "open") {
      if (rank === 0) refuse("two workers claim to be rank 0");
      else if (memory === undefined) hello();
    } else if (data.type === "memory") {
      if (data.to !== me || memory !== undefined) return;
      const received = new SharedMemory(data.memory, size, capacity);
      if (!received.fits) return refuse(`rank 0 sent ${data.memory.byteLength} bytes of memory, which do not fit`);
      memory = received;
      memory.join(rank);
    } else if (data.type === "hello" && rank === 0) {
      if (data.size !== size) refuse(`rank ${data.rank} expects ${data.size} ranks, rank 0 expects ${size}`);
      else if (data.capacity !== capacity) {
        refuse(`rank ${data.rank} has capacity ${data.capacity}, rank 0 has ${capacity}`);
      } else if ((members.get(data.rank) ?? data.from) !== data.from) {
        refuse(`two workers claim to be rank ${data.rank}`);
      } else {
        members.set(data.rank, data.from);
        say({ type: "memory", to: data.from, memory: memory!.buffer });
      }
    }
  };
  channel.onmessageerror = () => refuse(`rank ${rank} cannot receive shared memory`);
  const hello = () => say({ type: "hello", from: me, rank, size, capacity });
  try {
    if (rank === 0) {
      memory!.join(0);
      say({ type: "open", from: me });
    }
    const begin = performance.now();
    let again = begin, interval = 50;
    for (;;) {
      if (refused !== undefined) throw new TransportError(`Cannot connect group ${name}: ${refused}`);
      if (rank === 0 && memory!.missing.length === 0) memory!.open();
      if (memory?.ready) return memory;
      const now = performance.now();
      if (now - begin >= timeout) {
        const missing = memory?.missing ?? [0];
        throw new TransportError(
          `Cannot connect group ${name}: ${listed(missing)} did not join within ${timeout / 1000} s`,
          { rank: missing[0] },
        );
      }
      if (memory === undefined && now >= again) {
        hello();
        again = now + interval;
        interval = Math.min(2 * interval, 1000);
      }
      await pause(1);
    }
  } finally {
    if (refused !== undefined) await pause(20); // what was posted is still to be sent
    channel.close();
  }
}

function check({ name, rank, size, timeout = 30_000, capacity = 1 << 24 }: BroadcastChannelOptions): void {
  const refuse = (what: string, got: unknown, expected: string) => {
    throw new RangeError(`Cannot connect group ${name}: ${what} is ${got}, expected ${expected}`);
  };
  if (!(Number.isInteger(size) && 1 <= size && size <= 1024)) refuse("size", size, "an integer from 1 to 1024");
  if (!(Number.isInteger(rank) && 0 <= rank && rank < size)) refuse("rank", rank, `an integer from 0 to ${size - 1}`);
  if (!(timeout > 0 && timeout < 2 ** 31)) refuse("timeout", timeout, "milliseconds above 0");
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

function checkBlocking(): void {
  if (typeof SharedArrayBuffer === "undefined") return; // refused with its own reason
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
  } catch (cause) {
    throw new TypeError(
      "Cannot block on the main thread of a page: train in a Worker, or use minimizeAsync with an awaited group",
      { cause },
    );
  }
}

/** Looking for a few microseconds is cheaper than sleeping, where each rank has a core to itself. */
function spinsFor(size: number): number {
  return size <= (globalThis.navigator?.hardwareConcurrency ?? 1) ? 2000 : 0;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
