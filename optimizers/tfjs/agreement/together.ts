/** Work that all ranks do, or none: each rank learns how it went on the others. @module */

import { allGather } from "../../../transport/round.ts";
import { differentCalls, runCall, sameCalls } from "./calls.ts";
import type { Group } from "./group.ts";

const TAG = "GWtogether";

/**
 * Does some work on every rank and tells the others what came of it.
 *
 * @param doing what the caller does, for messages: "save to /checkpoints"
 * @param part the name of this part of the call. All ranks must be at the same part
 * @param work returns a value that JSON can hold, or throws
 * @returns what the work returned on every rank, in rank order
 * @throws {Error} on all ranks, if the work failed on any: the message names those ranks and says why
 */
export async function together<T>(
  group: Group,
  doing: string,
  part: string,
  work: () => T | Promise<T>,
): Promise<readonly T[]> {
  let mine: { readonly value?: T; readonly why?: string }, cause: unknown;
  try {
    mine = { value: await work() };
  } catch (error) {
    cause = error;
    mine = { why: error instanceof Error ? error.message : String(error) };
  }
  const message = new TextEncoder().encode(JSON.stringify([TAG, part, mine]));
  const messages = await runCall(doing, allGather(message), group);
  const theirs = messages.map((message, rank): typeof mine => {
    const [tag, at, result] = parse(message);
    if (tag === TAG && at === part) return result as typeof mine;
    const calls = differentCalls(messages) ?? `rank ${rank} is at another point of it`;
    throw new Error(`Cannot ${doing}: ${calls}. ${sameCalls}`);
  });
  const failed = theirs.flatMap(({ why }, rank) => why === undefined ? [] : [`rank ${rank}: ${why}`]);
  if (failed.length > 0) throw new Error(`Cannot ${doing}: ${failed.join("; ")}`, { cause });
  return theirs.map(({ value }) => value as T);
}

function parse(message: Uint8Array): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(message.slice())); // decoders refuse shared memory
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
