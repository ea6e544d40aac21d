/**
 * Survivors of a lost rank go on together: the last step that all of them have taken.
 *
 * Why it is enough that each can take one step back: a rank ends step k + 1 only after the round at the step's end, in which
 * it has heard from every rank. A rank takes part in that round only when it has begun step k + 1, hence when it has ended
 * step k. So when one rank has ended k + 1 steps, all others have ended k at least; and none can have ended k + 2, because
 * for that all would have had to end k + 1. Of a method that exchanges every so many steps the same holds with its
 * exchanges in the place of steps: what a rank does between them it does on its own, and takes it back along with the
 * exchange before.
 *
 * @module
 */

import { allGather, type Exchange } from "../../../transport/round.ts";
import { differentCalls } from "./calls.ts";
import type { State } from "../../methods/method.ts";
import { commonError } from "./vote.ts";

/** Where a rank stands. */
export interface Position {
  /** Steps it has taken. */
  readonly step: number;
  /** The steps it would have taken after it has taken back what it can; null if it can take back nothing. */
  readonly back: number | null;
  /** Its number in the group before. */
  readonly rank: number;
  /** The size of the group before. */
  readonly size: number;
  /** Whether its method keeps something of this rank's own, which belongs to its place among the ranks. */
  readonly keeps: boolean;
  /** How far it is with what comes before the first step. */
  readonly begun: Begun;
}

/**
 * "no": this rank has not begun. "alone": it has, and does not know whether the others have too. "all": it knows that they
 * have, because it has heard of each of them since.
 */
export type Begun = "no" | "alone" | "all";

/**
 * Whether all ranks begin anew before their next step: the connection was lost while they began, so that some have the
 * variables and others do not. None has taken a step from there then.
 */
export function beginsAnew(positions: readonly Position[]): boolean {
  return positions.some(({ begun }) => begun === "no") && positions.every(({ begun }) => begun !== "all");
}

const TAG = "GWrejoin";

/** Where all ranks stand, in rank order. Throws on all of them if one sends something else. */
export function* exchangePositions(mine: Position): Exchange<Position[]> {
  const messages = yield* allGather(new TextEncoder().encode(JSON.stringify([TAG, mine])));
  return messages.map((message, rank) => {
    try {
      const [tag, position] = JSON.parse(new TextDecoder().decode(message.slice())) as [string, Position];
      if (tag === TAG) return position;
    } catch {
      // Not JSON: refused below.
    }
    const calls = differentCalls(messages) ?? `rank ${rank} sent something else`;
    throw commonError(new Error(`Cannot rejoin: ${calls}. All ranks must call rejoin`));
  });
}

/**
 * The last step that all ranks have taken or can go back to.
 *
 * @throws {Error} on all ranks alike, if there is none or if the method cannot go on among these ranks
 */
export function commonStep(positions: readonly Position[]): number {
  const refuse = (why: string) => commonError(new Error(`Cannot rejoin: ${why}`));
  const common = Math.min(...positions.map(({ step }) => step));
  const far = positions.findIndex(({ step, back }) => step !== common && back !== common);
  if (far >= 0) {
    const least = positions.findIndex(({ step }) => step === common);
    throw refuse(
      `rank ${far} has taken ${
        positions[far]!.step
      } steps and rank ${least} ${common}, which is more than one apart. ` +
        "Restore a checkpoint on all ranks",
    );
  }
  if (!positions.some(({ keeps }) => keeps)) return common;
  const moved = positions.findIndex(({ rank, size }, place) => rank !== place || size !== positions.length);
  if (moved >= 0) {
    const { rank, size } = positions[moved]!;
    throw refuse(
      `rank ${moved} of ${positions.length} was rank ${rank} of ${size}, and the method keeps a memory on each rank that ` +
        "belongs to its place. Let the same ranks meet in the same order, or make new optimizers",
    );
  }
  return common;
}

/** Throws, on all ranks alike, unless a state has the vectors that its method makes for a group of this size. */
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
