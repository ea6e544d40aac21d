/** What is kept of an optimizer from step to step, apart from the weights. @module */

import { bytesOf } from "../../bytes.ts";
import { show } from "../../options.ts";
import { broadcast, type Exchange } from "../../transport/round.ts";
import { digest } from "../files/digest.ts";
import type { Layout, State, Vector, Vectors } from "../methods/method.ts";
import { type Slots, slotsDigest } from "./variables/slots.ts";
import type { Variable } from "./variables/tfjs.ts";
import { sameName } from "./variables/variables.ts";
import { weightsDigest } from "./variables/weights.ts";

/** All that an optimizer needs, apart from the weights, to go on after an interruption as if there had been none. */
export interface OptimizerState {
  /** How many steps were taken. */
  readonly step: number;
  /** The seed that keys are folded from. */
  readonly seed: number;
  /** This rank's number. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /** The method and its options, as text. */
  readonly method: string;
  /** The layout of the trained variables; absent before the first step, and in a group of one that needs no bucket. */
  readonly layout?: Layout | undefined;
  /** The vectors of the method's state that are this rank's own. */
  readonly local: Vectors;
  /** The vectors of the method's state that all ranks share. Rank 0's are used. */
  readonly shared: Vectors;
  /** The inner optimizer's class, options and slots. */
  readonly inner: Slots;
  /** In a checkpoint: digests by which the ranks see, before their next step, whether they restored the same one. */
  readonly digests?: StateDigests | undefined;
}

/** Digests of what was equal on all ranks when a checkpoint was saved. */
export interface StateDigests {
  /** The digest of the step, the seed, the state that all ranks share, and the inner optimizer's slots. */
  readonly common: string;
  /** The digest of the trained weights. Methods that own the parameters may let them differ between their exchanges. */
  readonly weights: string;
}

/**
 * The digests of an optimizer's state.
 *
 * @param trained the variables that its layout names
 */
export function stateDigests(
  { step, seed, shared, inner }: OptimizerState,
  trained: readonly Variable[],
): StateDigests {
  const sum = digest().text(`${step} ${seed}`).text(slotsDigest(inner));
  for (const name of Object.keys(shared).sort()) {
    const bytes = bytesOf(shared[name]!);
    sum.text(`${name}[${bytes.length}]`).bytes(bytes);
  }
  return { common: sum.hex(), weights: weightsDigest(trained) };
}

/**
 * Compares an optimizer's state with that of the optimizer that is to go on from it.
 *
 * @throws {TypeError} if `theirs` is not what `getState` returns
 * @throws {Error} that names the first difference
 */
export function checkState(theirs: OptimizerState, mine: OptimizerState): void {
  if (typeof theirs?.local !== "object" || typeof theirs.shared !== "object" || typeof theirs.inner !== "object") {
    throw new TypeError(
      `Cannot restore the state: it is ${
        show(theirs)
      }, expected what getState returned; a file is for restoreCheckpoint`,
    );
  }
  for (const what of ["seed", "rank", "size", "method"] as const) {
    if (theirs[what] !== mine[what]) {
      throw new Error(`Cannot restore the state: ${what} is ${theirs[what]} in the checkpoint, ${mine[what]} here`);
    }
  }
  if (theirs.layout && mine.layout) checkLayout(theirs.layout, mine.layout);
}

/** @throws {Error} that names the first variable whose name or shape differs */
export function checkLayout(theirs: Layout, mine: Layout): void {
  const length = Math.max(theirs.shapes.length, mine.shapes.length);
  const shape = ({ shapes, names }: Layout, i: number) => i < shapes.length ? `${names[i]} [${shapes[i]}]` : "absent";
  for (let i = 0; i < length; i++) {
    const { names, shapes } = theirs;
    if (String(shapes[i]) === String(mine.shapes[i]) && sameName(names[i] ?? "", mine.names[i] ?? "")) continue;
    throw new Error(
      `Cannot restore the state: variable ${i} is ${shape(theirs, i)} in the checkpoint, ${shape(mine, i)} here`,
    );
  }
}

/**
 * Compares the vectors of an optimizer's state with those that its method keeps for this layout. Only rank 0 must have
 * the shared ones.
 *
 * @throws {Error} that names the first vector that is missing or of another length or type
 */
export function checkVectors(from: OptimizerState, to: State): void {
  checkKind("local", from.local, to.local);
  if (from.rank === 0 || Object.keys(from.shared).length > 0) checkKind("shared", from.shared, to.shared);
}

function checkKind(kind: string, from: Vectors, to: Vectors): void {
  const length = (vector: Vector | undefined, none: string) => vector?.length ?? none;
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [theirs, mine] = [from[name], to[name]];
    if (theirs?.length !== mine?.length) {
      throw new Error(
        `Cannot restore the state: ${kind} vector ${name} has ${length(theirs, "no")} numbers in the checkpoint, ${
          length(mine, "none")
        } here`,
      );
    }
    if (theirs!.constructor !== mine!.constructor) {
      throw new Error(
        `Cannot restore the state: ${kind} vector ${name} is a ${theirs!.constructor.name} in the checkpoint, a ${
          mine!.constructor.name
        } here`,
      );
    }
  }
}

/** Fills a method's new state with the restored vectors. Rank 0 alone has those that all ranks share. */
export function* restoreState(from: OptimizerState, to: State, rank: number): Exchange {
  checkVectors(from, to);
  for (const [name, vector] of Object.entries(to.local)) vector.set(from.local[name]!);
  if (rank === 0) { for (const [name, vector] of Object.entries(to.shared)) vector.set(from.shared[name]!); }
  for (const name of Object.keys(to.shared).sort()) {
    const bytes = bytesOf(to.shared[name]!);
    bytes.set(yield* broadcast(0, bytes));
  }
}
