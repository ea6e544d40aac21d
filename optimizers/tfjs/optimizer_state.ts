/** What is kept of an optimizer from step to step, the weights apart. @module */

import { broadcast, type Exchange } from "../../transport/round.ts";
import { show } from "../../options.ts";
import { digest } from "../files/digest.ts";
import type { Layout, State, Vector, Vectors } from "../methods/method.ts";
import { type Slots, slotsDigest } from "./variables/slots.ts";
import type { Variable } from "./variables/tfjs.ts";
import { weightsDigest } from "./agreement/sync_weights.ts";

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
  /** The method and its options, as text. */
  readonly method: string;
  /** The variables' layout; absent before the first step and in a group of one, which needs no bucket. */
  readonly layout?: Layout | undefined;
  /** The method's state of this rank. */
  readonly local: Vectors;
  /** The method's state that all ranks share; rank 0's counts. */
  readonly shared: Vectors;
  /** The inner optimizer's class, configuration and slots. */
  readonly inner: Slots;
  /** Of a checkpoint: digests by which the ranks see, before their next step, that they restored the same one. */
  readonly digests?: StateDigests | undefined;
}

/** Digests of what was equal on all ranks when the state was saved. */
export interface StateDigests {
  /** Of the step, the method's shared state and the inner optimizer's slots. */
  readonly common: string;
  /** Of the trained weights. Methods that own the parameters may let them differ between their exchanges. */
  readonly weights: string;
}

/** The digests of a state, and of the variables that its layout names. */
export function stateDigests(
  { step, seed, shared, inner }: OptimizerState,
  trained: readonly Variable[],
): StateDigests {
  const sum = digest().text(`${step} ${seed}`).text(slotsDigest(inner));
  for (const name of Object.keys(shared).sort()) {
    const { buffer, byteOffset, byteLength } = shared[name]!;
    sum.text(`${name}[${byteLength}]`).bytes(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return { common: sum.hex(), weights: weightsDigest(trained) };
}

/** Throws an Error that names the first difference, if a state is not one for this rank of this group. */
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

/** Throws an Error that names the first variable whose name or shape differs. */
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
 * Whether two variables may be the same one of a model that was made twice. tfjs numbers layers and variables per
 * process ("dense_Dense3/kernel_1"): the numbers in names say nothing.
 */
export function sameName(a: string, b: string): boolean {
  return unnumbered(a) === unnumbered(b);
}

/** A variable's name without the numbers that tfjs gives: "dense_Dense/kernel" of "dense_Dense3/kernel_1". */
export function unnumbered(name: string): string {
  return name.replaceAll(/_?\d+/g, "");
}

/**
 * Throws an Error if a state's vectors are not those that its method keeps for this layout. Of what all ranks share,
 * rank 0 alone must have it all.
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

/** A method's new state := the restored one; what all ranks share comes from rank 0, which alone has it. */
export function* restoreState(from: OptimizerState, to: State, rank: number): Exchange {
  checkVectors(from, to);
  for (const [name, vector] of Object.entries(to.local)) vector.set(from.local[name]!);
  if (rank === 0) { for (const [name, vector] of Object.entries(to.shared)) vector.set(from.shared[name]!); }
  for (const name of Object.keys(to.shared).sort()) {
    const { buffer, byteOffset, byteLength } = to.shared[name]!;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    bytes.set(yield* broadcast(0, bytes));
  }
}
