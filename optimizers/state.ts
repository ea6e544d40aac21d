/** What is kept of an optimizer from step to step, the weights apart. @module */

import { broadcast, type Exchange } from "../transport/round.ts";
import { layoutDigest } from "./bucket.ts";
import type { Layout, State, Vectors } from "./reducer.ts";
import type { Slots } from "./slots.ts";

/** What must be kept to go on after an interruption as if there had been none; the weights apart. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  /** The seed that keys are folded from. */
  readonly seed: number;
  /** This rank. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /** The reducer and its options, as text. */
  readonly reducer: string;
  /** The variables' layout; absent before the first step and in a group of one, which needs no bucket. */
  readonly layout?: Layout | undefined;
  /** The reducer's state of this rank. */
  readonly local: Vectors;
  /** The reducer's state that all ranks share; rank 0's counts. */
  readonly shared: Vectors;
  /** The inner optimizer's class, configuration and slots. */
  readonly inner: Slots;
}

/** Throws an Error that names the first difference, if a state is not one for this rank of this group. */
export function checkState(theirs: OptimizerState, mine: OptimizerState): void {
  for (const what of ["seed", "rank", "size", "reducer"] as const) {
    if (theirs[what] !== mine[what]) {
      throw new Error(`Cannot restore the state: ${what} is ${theirs[what]} in the checkpoint, ${mine[what]} here`);
    }
  }
  if (theirs.layout && mine.layout) checkLayout(theirs.layout, mine.layout);
}

/** Throws an Error that names the first variable whose shape differs. */
export function checkLayout(theirs: Layout, mine: Layout): void {
  if (layoutDigest(theirs) === layoutDigest(mine)) return;
  const shape = ({ shapes, names }: Layout, i: number) => i < shapes.length ? `${names[i]} [${shapes[i]}]` : "absent";
  let i = 0;
  while (String(theirs.shapes[i]) === String(mine.shapes[i])) i++;
  throw new Error(
    `Cannot restore the state: variable ${i} is ${shape(theirs, i)} in the checkpoint, ${shape(mine, i)} here`,
  );
}

/** A reducer's new state := the restored one; what all ranks share comes from rank 0, which alone has it. */
export function* restoreState(from: OptimizerState, to: State, rank: number): Exchange {
  copyVectors("local", from.local, to.local);
  if (rank === 0) copyVectors("shared", from.shared, to.shared);
  for (const name of Object.keys(to.shared).sort()) {
    const { buffer, byteOffset, byteLength } = to.shared[name]!;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    bytes.set(yield* broadcast(0, bytes));
  }
}

function copyVectors(kind: string, from: Vectors, to: Vectors): void {
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (from[name]?.length !== to[name]?.length) {
      throw new Error(
        `Cannot restore the state: ${kind} vector ${name} has ${
          from[name]?.length ?? "no"
        } numbers in the checkpoint, ${to[name]?.length ?? "none"} here`,
      );
    }
    if (from[name]!.constructor !== to[name]!.constructor) {
      throw new Error(
        `Cannot restore the state: ${kind} vector ${name} is a ${from[name]!.constructor.name} in the checkpoint, a ${
          to[name]!.constructor.name
        } here`,
      );
    }
    to[name]!.set(from[name]!);
  }
}
