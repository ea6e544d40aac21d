/** The end of a step: all ranks say whether they can apply it. @module */

import { allGather, type Exchange } from "../../../transport/round.ts";
import type { Options } from "../arguments.ts";
import type { Group } from "./group.ts";
import type { MethodAtWork } from "../replica.ts";
import { compareReplicas, hashOf, type Replica, replicaOf } from "./replicas.ts";
import type { Optimizer } from "../variables/tfjs.ts";
import { encodeObjection, type Objection, objectionsIn, type Outcome } from "./vote.ts";

/** A step whose exchange has come to its end. */
export interface Ended {
  /** Steps taken before it. */
  readonly step: number;
  /** The ranks. */
  readonly group: Group;
  /** The inner optimizer. */
  readonly inner: Optimizer;
  /** The method and what it has made. */
  readonly work: MethodAtWork;
  /** Which variables have a gradient on any rank. */
  readonly present: readonly boolean[];
}

/** Whether the replicas are compared after this step: once in `verify` steps, and only where the ranks meet. */
export function isVerified(step: number, size: number, { verify, method: { every = 1 } }: Options): boolean {
  if (verify === 0 || size === 1) return false;
  return Math.floor((step + 1) / verify) !== Math.floor((step + 1 - every) / verify);
}

/**
 * Every rank says whether it can apply the step; it is applied here meanwhile, unless this rank objects. The outcome has
 * votes if not all ranks can.
 */
export function* conclude({ group, work, present }: Ended, objection: Objection | undefined): Exchange<Outcome> {
  const message = objection ? encodeObjection(objection) : new Uint8Array(0);
  yield { op: "start", round: { op: "allGather", message } };
  let failure: { readonly error: Error } | undefined;
  try {
    if (objection === undefined) work.write(present);
  } catch (error) {
    failure = { error: error instanceof Error ? error : new Error(String(error)) };
  }
  const votes = objectionsIn(yield { op: "finish" });
  if (failure === undefined || votes !== undefined) return { votes };
  // The others have been told that all is well, and it is not: this rank cannot go on with them.
  void Promise.resolve(group.abort?.(failure.error)).catch(() => {});
  throw failure.error;
}

/**
 * Applies the step and compares the replicas that come of it, in the same round as the vote.
 *
 * @throws {Error} on all ranks alike, if the replicas differ
 */
export function* concludeAndCompare({ step, inner, work, present }: Ended): Exchange<Outcome> {
  let replica: Replica;
  try {
    work.write(present);
    replica = replicaOf(work.variables, inner, work.state!.shared);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { votes: objectionsIn(yield* allGather(encodeObjection({ kind: "failed", what }))), error };
  }
  const messages = yield* allGather(new TextEncoder().encode(hashOf(replica)));
  const votes = objectionsIn(messages), texts = messages.map((message) => message.join());
  if (votes || texts.every((text) => text === texts[0])) return { votes };
  yield* compareReplicas(`take step ${step}`, replica, work.bucket!.layout.names);
  throw new Error(`Cannot take step ${step}: the ranks sent different digests of equal replicas`);
}
