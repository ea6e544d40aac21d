/** Groups of either kind, blocking or awaited. @module */

import { show } from "../../../options.ts";
import { runAsync, runBlocking } from "../../../transport/drivers.ts";
import type { BlockingCollective, Collective, Exchange } from "../../../transport/round.ts";

/** Connected ranks, blocking or awaited. */
export type Group = BlockingCollective | Collective;

/** Whether a group blocks. Only those that do can be disposed of without awaiting. */
export function isBlocking(group: Group): group is BlockingCollective {
  return Symbol.dispose in group;
}

/** Runs an exchange on a group of either kind, in a place where one may await. */
export async function runOn<R>(exchange: Exchange<R>, group: Group): Promise<R> {
  return isBlocking(group) ? runBlocking(exchange, group) : await runAsync(exchange, group);
}

const made = new WeakMap<Group, number>();

/**
 * Counts the optimizers over a group, from 1. All ranks make them in the same order, so that the number tells which
 * optimizer a message is from.
 */
export function ordinalOver(group: Group): number {
  const ordinal = (made.get(group) ?? 0) + 1;
  made.set(group, ordinal);
  return ordinal;
}

/**
 * Refuses what is no group, and says what to write instead where something near to one was given.
 *
 * @param doing what cannot be done, for the message
 * @throws {TypeError}
 */
export function requireGroup(doing: string, group: unknown): void {
  const refuse = (why: string) => new TypeError(`Cannot ${doing}: ${why}`);
  const { perform, then, send } = Object(group) as Record<string, unknown>;
  if (typeof perform === "function") return;
  if (typeof then === "function") throw refuse("the group is a Promise: await it, as in group: await connect()");
  if (typeof group === "function") {
    throw refuse(`group is ${show(group)}, expected what it returns: call it, await ${group.name || "connect"}()`);
  }
  if (typeof send === "function") {
    throw refuse("group is a transport, expected the group over it: collective(transport)");
  }
  throw refuse(`group is ${show(group)}, expected one such as connect() gives: group = await connect()`);
}
