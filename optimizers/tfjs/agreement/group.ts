/** Groups of either kind. @module */

import { runAsync, runBlocking } from "../../../transport/drivers.ts";
import type { BlockingCollective, Collective, Exchange } from "../../../transport/round.ts";

/** Connected ranks, blocking or awaited. */
export type Group = BlockingCollective | Collective;

/** Whether a group blocks. One that can be disposed of without waiting does. */
export function isBlocking(group: Group): group is BlockingCollective {
  return Symbol.dispose in group;
}

/** Runs an exchange on a group of either kind, where one may await. */
export async function runOn<R>(exchange: Exchange<R>, group: Group): Promise<R> {
  return isBlocking(group) ? runBlocking(exchange, group) : await runAsync(exchange, group);
}

const made = new WeakMap<Group, number>();

/** Counts the optimizers over a group, from 1: what tells them apart, where all ranks make them in the same order. */
export function ordinalOver(group: Group): number {
  const ordinal = (made.get(group) ?? 0) + 1;
  made.set(group, ordinal);
  return ordinal;
}
