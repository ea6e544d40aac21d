/**
 * How the ranks of a process come by their shared memory: rank 0 announces it on a BroadcastChannel. A message there is
 * lost where a rank does not listen yet, so that ranks greet again until they are answered, and acknowledge in the
 * memory itself.
 *
 * @module
 */

import { listed } from "../deadlines.ts";
import { TransportError } from "../transport.ts";

/** What the ranks of a group share. */
export interface GroupMemory {
  /** The memory of their messages, zeroed at first. */
  readonly memory: SharedArrayBuffer;
  /** A word of 32 bits for each rank, which is 1 once that rank has the memory. */
  readonly present: SharedArrayBuffer;
}

/** Allocates the memory of a group. */
export function allocate(size: number, byteLength: number): GroupMemory {
  return { memory: new SharedArrayBuffer(byteLength), present: new SharedArrayBuffer(4 * size) };
}

/** Who meets whom, and over what. */
interface RendezvousOptions {
  readonly name: string;
  readonly rank: number;
  readonly size: number;
  /** How long to wait for the others, in milliseconds. */
  readonly connectTimeout: number;
  /** The most bytes that a rank may hand over at once: the same on all ranks. */
  readonly capacity: number;
  /** The length of the shared memory in bytes, which follows from size and capacity. */
  readonly byteLength: number;
  /** The memory, if this rank was given it. */
  readonly memory?: GroupMemory | undefined;
}

/** What is said on the channel, with `gradwire: 1`. `from` and `to` are names that ranks draw for themselves. */
type Packet =
  /** Rank 0 is here: who is not connected yet greets. */
  | { readonly type: "open"; readonly from: string }
  /** Another rank asks for the memory. */
  | {
    readonly type: "hello";
    readonly from: string;
    readonly rank: number;
    readonly size: number;
    readonly capacity: number;
  }
  /** Rank 0 answers. */
  | { readonly type: "memory"; readonly to: string } & GroupMemory
  /** The ranks do not belong together: nobody connects. */
  | { readonly type: "refused"; readonly why: string };

/**
 * Meets the other ranks.
 *
 * @returns the shared memory, zeroed, once every rank has it
 * @throws {TransportError} if a rank does not come in time, comes twice, or asks for another size or capacity
 */
export async function meet(options: RendezvousOptions): Promise<SharedArrayBuffer> {
  const { name, rank, size, connectTimeout, capacity, byteLength } = options;
  const me = crypto.randomUUID(), members = new Map<number, string>();
  const fail = (why: string, rank?: number) => new TransportError(`Cannot connect group ${name}: ${why}`, { rank });
  let shared: GroupMemory | undefined, refused: string | undefined;

  /** Takes the memory and says so in it. Returns what is wrong with it, if anything. */
  function take(offered: GroupMemory): string | undefined {
    const { memory, present } = offered;
    if (memory.byteLength !== byteLength || present.byteLength !== 4 * size) {
      return `the memory has ${memory.byteLength} bytes, ${size} ranks with capacity ${capacity} need ${byteLength}`;
    }
    if (Atomics.exchange(new Int32Array(present), rank, 1) === 1) return `two workers claim to be rank ${rank}`;
    shared = offered;
  }

  function heard({ data }: MessageEvent<Packet & { gradwire?: number }>): void {
    // Chromium (156) delivers null in place of shared memory.
    if (data === null) {
      refuse("shared memory does not pass this BroadcastChannel; make it with groupMemory and post it");
    }
    if (data?.gradwire !== 1) return;
    if (data.type === "refused") refused ??= data.why;
    else if (data.type === "open") {
      if (rank === 0) refuse("two workers claim to be rank 0");
      else if (shared === undefined) greet();
    } else if (data.type === "memory") {
      const why = data.to === me && shared === undefined ? take(data) : undefined;
      if (why !== undefined) refuse(why);
    } else if (data.type === "hello" && rank === 0) {
      if (data.size !== size) refuse(`rank ${data.rank} expects ${data.size} ranks, rank 0 expects ${size}`);
      else if (data.capacity !== capacity) {
        refuse(`rank ${data.rank} has capacity ${data.capacity}, rank 0 has ${capacity}`);
      } else if ((members.get(data.rank) ?? data.from) !== data.from) {
        refuse(`two workers claim to be rank ${data.rank}`);
      } else {
        members.set(data.rank, data.from);
        say({ type: "memory", to: data.from, ...shared! });
      }
    }
  }

  function open(): BroadcastChannel {
    const channel = new BroadcastChannel(`gradwire ${name}`);
    channel.onmessage = heard;
    channel.onmessageerror = () => refuse(`rank ${rank} cannot receive shared memory`);
    return channel;
  }

  function say(packet: Packet): void {
    try {
      channel!.postMessage({ gradwire: 1, ...packet });
    } catch { // In Deno (2.9) a channel opened while the thread closes its last one is deaf and dumb.
      shut(channel!);
      channel = open();
      channel.postMessage({ gradwire: 1, ...packet });
    }
  }

  function greet(): void {
    say(rank === 0 ? { type: "open", from: me } : { type: "hello", from: me, rank, size, capacity });
  }

  function refuse(why: string): void {
    if (refused === undefined) say({ type: "refused", why: refused = why });
  }

  // Ranks that were given the memory need no channel.
  const given = options.memory ?? (rank === 0 ? allocate(size, byteLength) : undefined), why = given && take(given);
  if (why !== undefined) throw fail(why, rank);
  let channel = options.memory === undefined ? open() : undefined;
  try {
    const begin = performance.now();
    for (let again = begin, interval = 50;;) {
      if (refused !== undefined) throw fail(refused);
      const present = shared && new Int32Array(shared.present), missing = present ? absent(present, size) : [0];
      if (present && missing.length === 0) return shared!.memory;
      const now = performance.now();
      if (now - begin >= connectTimeout) {
        const limit = `${connectTimeout / 1000} s; connectTimeout raises the limit`;
        throw fail(`${listed(missing)} did not join within ${limit}`, missing[0]);
      }
      if (channel && (rank === 0 || shared === undefined) && now >= again) {
        greet();
        again = now + interval;
        interval = Math.min(2 * interval, 1000);
      }
      await pause(1);
    }
  } finally {
    if (refused !== undefined) await pause(20); // A channel that is closed at once loses what was posted.
    if (channel) shut(channel);
  }
}

function absent(present: Int32Array, size: number): number[] {
  return Array.from({ length: size }, (_, rank) => rank).filter((rank) => Atomics.load(present, rank) === 0);
}

/** Closes a channel, and listens no more: Deno may deliver even then what was on its way. */
function shut(channel: BroadcastChannel): void {
  channel.onmessage = channel.onmessageerror = null;
  channel.close();
}

/** Waits so many milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
