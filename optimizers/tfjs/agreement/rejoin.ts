/**
 * How the survivors of a lost rank find the last step that all of them have taken, and go on from there.
 *
 * It is enough that each rank can take one step back. A rank ends step k + 1 only after the round at the end of that
 * step, in which it has heard from every rank. A rank takes part in that round only when it has begun step k + 1, and
 * hence has ended step k. So when one rank has ended step k + 1, all others have ended step k; and no rank has ended
 * step k + 2, because for that all ranks would have had to end step k + 1. If a method exchanges only every so many
 * steps, this holds for its exchanges in place of its steps: the steps that a rank takes alone after an exchange are
 * taken back along with it.
 *
 * @module
 */

import { allGather, type Exchange } from "../../../transport/round.ts";
import type { State } from "../../methods/method.ts";
import { differentCalls } from "./calls.ts";
import { commonError } from "./vote.ts";

/** Where a rank stands in the training. */
interface Standing {
  /** How many steps the rank has taken. */
  readonly step: number;
  /** How many steps it would have taken after taking back what it can; null if it can take back nothing. */
  readonly back: number | null;
  /** The rank's number in the group before. */
  readonly rank: number;
  /** The size of the group before. */
  readonly size: number;
  /** Whether the method's state holds vectors of this rank's own, which belong to its place among the ranks. */
  readonly keeps: boolean;
  /** Whether the ranks have begun. */
  readonly begun: Begun;
}

/**
 * Whether the ranks have begun: compared what they are to train, and taken over rank 0's weights. "no": this rank has
 * not begun. "alone": it has begun, and does not know whether the others have too. "all": it knows that all have,
 * because it has heard from each of them since.
 */
export type Begun = "no" | "alone" | "all";

/**
 * Whether all ranks must begin anew before their next step, because the connection was lost while they began: some
 * ranks have begun and others have not. No rank has taken a step then.
 */
export function beginsAnew(standings: readonly Standing[]): boolean {
  return standings.some(({ begun }) => begun === "no") && standings.every(({ begun }) => begun !== "all");
}

const TAG = "GWrejoin";

/**
 * Tells the ranks where each of them stands.
 *
 * @returns the standings of all ranks, in rank order
 * @throws {Error} on all ranks, if one sends something else
 */
export function* exchangeStandings(mine: Standing): Exchange<Standing[]> {
  const messages = yield* allGather(new TextEncoder().encode(JSON.stringify([TAG, mine])));
  return messages.map((message, rank) => {
    try {
      const [tag, standing] = JSON.parse(new TextDecoder().decode(message.slice())) as [string, Standing];
      if (tag === TAG) return standing;
    } catch {
      // Not JSON: refused below.
    }
    const calls = differentCalls(messages) ?? `rank ${rank} sent something else`;
    throw commonError(new Error(`Cannot rejoin: ${calls}. All ranks must call rejoin`));
  });
}

/**
 * Finds the last step that all ranks have taken or can go back to.
 *
 * @throws {Error} on all ranks alike, if there is no such step, or if the method cannot go on among these ranks
 */
export function commonStep(standings: readonly Standing[]): number {
  const refuse = (why: string) => commonError(new Error(`Cannot rejoin: ${why}`));
  const common = Math.min(...standings.map(({ step }) => step));
  const far = standings.findIndex(({ step, back }) => step !== common && back !== common);
  if (far >= 0) {
    const least = standings.findIndex(({ step }) => step === common);
    throw refuse(
      `rank ${far} has taken ${
        standings[far]!.step
      } steps and rank ${least} ${common}, which is more than one apart. ` +
        "Restore a checkpoint on all ranks",
    );
  }
  if (!standings.some(({ keeps }) => keeps)) return common;
  const moved = standings.findIndex(({ rank, size }, place) => rank !== place || size !== standings.length);
  if (moved >= 0) {
    const { rank, size } = standings[moved]!;
    throw refuse(
      `rank ${moved} of ${standings.length} was rank ${rank} of ${size}, and the method keeps a memory on each rank that ` +
        "belongs to its place. Let the same ranks meet in the same order, or make new optimizers",
    );
  }
  return common;
}

/**
 * Compares a method's state with the one that the method makes for a group of another size.
 *
 * @throws {Error} on all ranks alike, if a vector of the two has another length
 */
export function requireFits(state: State, fresh: State, size: number, now: number): void {
  for (const kind of ["local", "shared"] as const) {
    for (const name in fresh[kind]) {
      const [had, wants] = [state, fresh].map((state) => state[kind][name]?.length);
      if (had === wants) continue;
      throw commonError(
        new Error(
          `Cannot rejoin: the method's ${name} has ${had} numbers for ${size} ranks, ${wants} for ${now}. ` +
            "Make new optimizers",
        ),
      );
    }
  }
}
