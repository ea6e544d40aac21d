/** The interfaces of a method. @module */

import type { Layout } from "../../compressors/layout.ts";
import type { Exchange } from "../../transport/round.ts";
import type { Keys } from "./keys.ts";

export type { Layout } from "../../compressors/layout.ts";
export type { Exchange } from "../../transport/round.ts";
export type { Keys } from "./keys.ts";

/**
 * One vector of a state. Numbers of the training are kept as Float32Array, bytes (a message on its way) as Uint8Array, and
 * counts, steps, sizes and learning rates as Float64Array, which holds integers exactly up to 2⁵³.
 */
export type Vector = Float32Array | Float64Array | Uint8Array;

/** Named vectors. */
export type Vectors = Readonly<Record<string, Vector>>;

/**
 * What a method remembers between steps. `local` differs by rank; `shared` is bit-identical on all ranks. Written only
 * after the last round of a step, so that a lost peer leaves it as it was. The caller owns it: a checkpoint writes it.
 */
export interface State {
  /** This rank's own. */
  readonly local: Vectors;
  /** Equal on all ranks. */
  readonly shared: Vectors;
}

/** Working memory of one rank, reused from step to step; contents do not survive a step. */
export interface Workspace {
  /** `length` bytes, the same memory whenever the same slot is asked for. */
  bytes(slot: string, length: number): Uint8Array;
  /** `length` floats, not cleared. */
  floats(slot: string, length: number): Float32Array;
  /** `length` numbers of double precision, not cleared. */
  doubles(slot: string, length: number): Float64Array;
}

/** What a step is told, its keys among it. Keys are folded from (seed, step, rank), never stored. */
export interface Context extends Keys {
  /** Steps taken before this one. */
  readonly step: number;
  /** This rank's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** The number of ranks. */
  readonly size: number;
  /** The tensors that the gradient consists of, those that `init` was given. */
  readonly layout: Layout;
  /** The keys of another step, for what is drawn once for several of them. */
  keysAt(step: number): Keys;
  /** Whether the driver has run `ahead` in this step. */
  readonly early?: boolean;
  /**
   * Absent where all ranks take part in the step. Where a method samples them: |S|/n, the share of the ranks that hold this
   * method's memory and are among `size`. A mean over all memories then moves by that share of the mean over S.
   */
  readonly participation?: number;
  /** Memory to work in. */
  readonly workspace: Workspace;
  /** The inner optimizer's learning rate at this step, where it has one. Absent: taken as constant. */
  readonly learningRate?: number | undefined;
  /** The model's parameters before this step, flat; do not modify. Methods that need them throw if they are absent. */
  readonly parameters?: Float32Array | undefined;
}

/** What theory needs to know of f = (1/n) Σ fᵢ, the sum over ranks, to give a step size. */
export interface Constants {
  /** The number of parameters, d. */
  readonly size: number;
  /** The number of ranks, n. */
  readonly ranks: number;
  /** L: the smoothness of f. */
  readonly smoothness: number;
  /** Lmax: the largest smoothness of an fᵢ. */
  readonly largestSmoothness: number;
  /** L̄: the root of the mean square of the smoothness of the fᵢ. */
  readonly meanSquareSmoothness: number;
  /** μ: the strong convexity of f, 0 where there is none. */
  readonly convexity: number;
  /** m: the terms that each fᵢ is a mean of, where it is one; the most of them where ranks have different numbers. */
  readonly terms?: number;
  /**
   * 𝓛: the largest smoothness of a single term fᵢⱼ, which methods that take gradients of single terms need: it is up to
   * m times that of their mean. Absent: taken as m Lmax, the most that it can be where the terms are convex.
   */
  readonly largestTermSmoothness?: number;
}

/** A method: options in its closure, state in values. */
export interface Method<S extends State = State> {
  /** Its factory's name, for instance "errorFeedback". */
  readonly name: string;
  /** What its factory was called with. */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * What `reduce` leaves in the gradient: "gradient" (default), an estimate that the inner optimizer is given; or, for
   * methods that have their own update, "step", what is subtracted from the parameters as it is, or "parameters", what
   * the parameters become. Only the last can bring ranks together, bit for bit, whose parameters differ: methods that
   * communicate every so many steps leave each rank its own parameters in between.
   */
  readonly yields?: "gradient" | "step" | "parameters";
  /**
   * Where the method exchanges only in steps whose number, counted from 1, is a multiple of this: the
   * driver then need not exchange anything in the others either. Default 1.
   */
  readonly every?: number;
  /**
   * Whether for one rank what `reduce` leaves in the gradient is the gradient itself, and nothing is remembered. A driver
   * may then leave the method out of a group of one. Absent means no: the method is then run for one rank as for several.
   */
  readonly identityAlone?: boolean;
  /**
   * Whether it is right where only some of the ranks take part in a step, with a memory that counts for all of them
   * (`context.participation`), and exchanges by all-gather or all-reduce only. Absent means no: then `fedAvg` does not take
   * it with a fraction below 1.
   */
  readonly sampled?: boolean;
  /**
   * Whether `reduce` asks for gradients beside the one that it is given. Absent means no. Methods that give others something
   * else than the model's gradient, or a part of it, cannot answer: they do not take one that asks.
   */
  readonly asksGradients?: boolean;
  /**
   * The largest step size γ (learning rate of plain gradient descent) that its theory allows; NaN where it says nothing of
   * such problems. Absent where there is no such theory.
   */
  stepSize?(constants: Constants): number;
  /** The state before the first step, for a group of `ranks` (default 1). */
  init(layout: Layout, ranks?: number): S;
  /**
   * Rounds that need nothing of this step's gradient: a driver may run them while the gradient is evaluated, and then says
   * so by `context.early`. What arrives goes to the workspace; the state is left alone.
   */
  ahead?(state: S, context: Context): Exchange;
  /** Replaces this rank's gradient by what `yields` says: equal on all ranks, bit for bit, whenever they exchanged. */
  reduce(gradient: Float32Array, state: S, context: Context): Exchange;
}
