/** The interfaces of a method. @module */

import type { Layout } from "../../compressors/layout.ts";
import type { Exchange } from "../../transport/round.ts";
import type { Keys } from "./keys.ts";

export type { Layout, TensorOfLayout } from "../../compressors/layout.ts";
export type { Exchange } from "../../transport/round.ts";
export type { Keys } from "./keys.ts";

/**
 * One vector of a state. Parameters, gradients and the like are kept as Float32Array, messages that wait to be sent as
 * Uint8Array, and counts, steps and learning rates as Float64Array, which holds integers exactly up to 2⁵³.
 */
export type Vector = Float32Array | Float64Array | Uint8Array;

/** Named vectors. */
export type Vectors = Readonly<Record<string, Vector>>;

/**
 * What a method remembers between steps. It belongs to the driver, which writes it to checkpoints. A method writes it
 * only after the last round of a step, so that a step which a lost peer interrupts leaves it as it was.
 */
export interface State {
  /** What differs by rank. */
  readonly local: Vectors;
  /** What is equal on all ranks, bit for bit. */
  readonly shared: Vectors;
}

/**
 * Working memory of one rank, reused from step to step. A slot is a name: whoever asks for it again gets the same
 * memory, with what it held in this step. Contents do not survive a step, and new memory is not cleared.
 */
export interface Workspace {
  /** `length` bytes. */
  bytes(slot: string, length: number): Uint8Array;
  /** `length` float32 numbers. */
  floats(slot: string, length: number): Float32Array;
  /** `length` numbers of double precision. */
  doubles(slot: string, length: number): Float64Array;
}

/** What a method is told in a step. The step's keys are made from (seed, step, rank) and never stored. */
export interface Context extends Keys {
  /** Steps taken before this one. */
  readonly step: number;
  /** This rank's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** The number of ranks. */
  readonly size: number;
  /** The tensors that the gradient consists of, those that `init` was given. */
  readonly layout: Layout;
  /** The keys of another step, for what is drawn once for several steps. */
  keysAt(step: number): Keys;
  /** Whether the driver has run the method's `ahead` in this step. Absent means no. */
  readonly early?: boolean;
  /**
   * Where only some of the ranks take part in the step: their share |S|/n of the n ranks that have a state of this
   * method. `size` is then |S|. A mean over the states of all ranks moves by this share of the mean over S. Absent: all
   * take part.
   */
  readonly participation?: number;
  /** Memory to work in. */
  readonly workspace: Workspace;
  /** The learning rate of the inner optimizer in this step. Absent where it has none: it is then taken as constant. */
  readonly learningRate?: number | undefined;
  /**
   * The model's parameters before this step, as one vector; not to be modified. Methods that need them throw without.
   */
  readonly parameters?: Float32Array | undefined;
}

/** What theory needs to know of the loss f = (1/n) Σ fᵢ, fᵢ that of rank i of n, to give a step size. */
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
  /** m, where each fᵢ is a mean of terms: their number, or the largest of their numbers. */
  readonly terms?: number;
  /**
   * 𝓛: the largest smoothness of a single term fᵢⱼ, for methods that take gradients of single terms. It is up to m
   * times that of their mean. Absent: taken as m Lmax, the most that it can be where the terms are convex.
   */
  readonly largestTermSmoothness?: number;
}

/**
 * A method: how the ranks' gradients become one update. Its options are in its closure; its state is a value that the
 * caller passes in.
 */
export interface Method<S extends State = State> {
  /** Its factory's name, for instance "errorFeedback". */
  readonly name: string;
  /** What its factory was called with. */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * What `reduce` leaves in the gradient. "gradient" (default): an estimate of the mean gradient, for the inner
   * optimizer. "step": what is to be subtracted from the parameters as it is. "parameters": what the parameters become.
   * Only the last can make parameters equal, bit for bit, that differ by rank, as they do between the exchanges of
   * local methods.
   */
  readonly yields?: "gradient" | "step" | "parameters";
  /**
   * The method exchanges only in steps whose number, counted from 1, is a multiple of this. A driver then need not
   * exchange anything in the others either. Default 1.
   */
  readonly every?: number;
  /**
   * Whether in a group of one rank `reduce` leaves the gradient as it is and remembers nothing. A driver then need not
   * run the method there. Absent means no.
   */
  readonly identityAlone?: boolean;
  /**
   * Whether the method is right where only some of the ranks take part in a step (see `Context.participation`) and
   * exchanges by all-gather or all-reduce only. Absent means no: then `fedAvg` does not take it with a fraction below
   * 1.
   */
  readonly sampled?: boolean;
  /**
   * Whether `reduce` asks for gradients beside the one that it is given. Absent means no. Methods that give an inner
   * method something else than the model's gradient cannot answer: they do not take one that asks.
   */
  readonly asksGradients?: boolean;
  /**
   * The largest step size γ (the learning rate of plain gradient descent) that the method's theory allows; NaN where it
   * does not cover such problems. Absent where there is no theory.
   */
  stepSize?(constants: Constants): number;
  /** The state before the first step, for a group of `ranks` (default 1). */
  init(layout: Layout, ranks?: number): S;
  /**
   * The rounds of a step that do not need its gradient. A driver may run them while the gradient is evaluated, and then
   * sets `early` in the context. What arrives is kept in the workspace; the state is not written.
   */
  ahead?(state: S, context: Context): Exchange;
  /**
   * Replaces this rank's gradient by what `yields` says: equal on all ranks, bit for bit, in every step that exchanges.
   */
  reduce(gradient: Float32Array, state: S, context: Context): Exchange;
}
