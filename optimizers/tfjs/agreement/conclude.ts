/** The end of a step: all ranks say whether they can apply it. @module */

import { allGather, type Exchange } from "../../../transport/round.ts";
import { compareReplicas, hashOf, type ReplicaDigests } from "./replicas.ts";
import { encodeObjection, type Objection, objectionsIn, type Outcome } from "./vote.ts";

/**
 * Every rank says whether it can apply the step. The step is applied here while the votes travel, unless this rank
 * objects.
 *
 * @param apply applies the step on this rank
 * @param abort ends the group: called if this rank fails to apply the step after it has voted for it
 * @returns the votes, if a rank objects
 */
export function* conclude(
  objection: Objection | undefined,
  apply: () => void,
  abort: (reason: Error) => void,
): Exchange<Outcome> {
  const message = objection ? encodeObjection(objection) : new Uint8Array(0);
  yield { op: "start", round: { op: "allGather", message } };
  let failure: Error | undefined;
  try {
    if (objection === undefined) apply();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const votes = objectionsIn(yield { op: "finish" });
  if (failure === undefined || votes !== undefined) return { votes };
  // The others have been told that all is well, and it is not: this rank cannot go on with them.
  abort(failure);
  throw failure;
}

/**
 * Applies the step on this rank and compares the replicas that come of it, in the same round as the vote.
 *
 * @param step how many steps were taken before this one
 * @param apply applies the step on this rank and returns the digests of its replica
 * @param names the names of the trained variables on this rank
 * @returns the votes, if a rank objects
 * @throws {Error} on all ranks alike, if the replicas differ
 */
export function* concludeAndCompare(
  step: number,
  apply: () => ReplicaDigests,
  names: readonly string[],
): Exchange<Outcome> {
  let replica: ReplicaDigests;
  try {
    replica = apply();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { votes: objectionsIn(yield* allGather(encodeObjection({ kind: "failed", what }))), error };
  }
  const messages = yield* allGather(new TextEncoder().encode(hashOf(replica)));
  const votes = objectionsIn(messages), texts = messages.map((message) => message.join());
  if (votes || texts.every((text) => text === texts[0])) return { votes };
  yield* compareReplicas(`take step ${step}`, replica, names);
  throw new Error(`Cannot take step ${step}: the ranks sent different digests of equal replicas`);
}

/**
 * Whether the replicas are compared after a step: at the first exchange after every `verify` steps, in a group of
 * several.
 *
 * @param step how many steps were taken before this one
 */
export function isCompared(
  step: number,
  size: number,
  { verify, method: { every = 1 } }: { readonly verify: number; readonly method: { readonly every?: number } },
): boolean {
  if (verify === 0 || size === 1) return false;
  return Math.floor((step + 1) / verify) !== Math.floor((step + 1 - every) / verify);
}
