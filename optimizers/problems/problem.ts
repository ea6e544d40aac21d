/** What a convex problem is. @module */

import type { Constants } from "../methods/method.ts";

/** f(x) = (1/n) Σ fᵢ(x) over n ranks, with fᵢ the loss of rank i. */
export interface Problem {
  /**
   * The number of parameters d, the number of ranks n, the smoothness L, the convexity μ and the like, for step sizes.
   */
  readonly constants: Constants;
  /** f(at). */
  loss(at: Float32Array): number;
  /**
   * into := ∇fᵢ(at) for i = rank; or, where fᵢ is a mean of terms, the mean gradient of the terms with these numbers.
   */
  gradient(rank: number, at: Float32Array, into: Float32Array, terms?: Uint32Array): void;
  /** How many terms fᵢ is a mean of; 1 where it is not a finite sum. */
  terms(rank: number): number;
  /** The optimum x*, where it is unique. It is solved to double precision when first asked for. */
  readonly minimiser: Float64Array;
}
