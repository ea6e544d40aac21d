import { alone } from "./alone.ts";
import { broadcastChannel } from "./broadcast_channel.ts";
import { place } from "./place.ts";
import type { BlockingCollective } from "./round.ts";

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** How long to wait for another rank, in milliseconds. Default: the launcher's, else 30 000. */
  readonly timeout?: number;
}

let connections = 0;

/** Connects this rank with the others: where the launcher started it, with those that it started; else a group of one. */
export async function connect({ timeout }: ConnectOptions = {}): Promise<BlockingCollective> {
  const mine = place(), patience = timeout ?? mine?.timeout;
  if (mine === undefined || mine.size === 1) return alone();
  const { rank, size, group } = mine;
  // A second group of the same ranks has a name of its own: all of them connect in the same order.
  if (group.transport === "broadcast") {
    const name = `${group.name} ${connections++}`;
    return await broadcastChannel({ name, rank, size, ...(patience === undefined ? {} : { timeout: patience }) });
  }
  throw new Error("tcp follows");
}
