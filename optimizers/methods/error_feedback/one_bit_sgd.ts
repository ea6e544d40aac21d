import { checkInteger, checkOptions } from "../../../options.ts";
import type { Method } from "../method.ts";
import { bothWays, type TwoWayState, twoWayState } from "./bidirectional.ts";
import { blocksOf, byColumns } from "./column_blocks.ts";

/** Options of {@linkcode oneBitSgd}. */
export interface OneBitSgdOptions {
  /** Columns are taken together until they hold so many numbers, for their means cost 8 bytes. Default 256. */
  readonly block?: number;
}

/**
 * 1-bit SGD: one bit a number each way, with two means for each column of a weight matrix, and error feedback where it is
 * quantised: at each rank and again at the rank that aggregates a stripe.
 *
 * ```text
 * vᵢ = gᵢ + (γ₋/γ) eᵢ;  send C(vᵢ), stripe by stripe;  eᵢ ← vᵢ − C(vᵢ)
 * s = (1/n) Σ C(vᵢ) + (γ₋/γ) e;  send C(s);  e ← s − C(s)         each stripe on the rank that serves it
 * C: a number becomes the mean of its column's numbers of its sign
 * g ← C(s)                                                        x ← x − γ g
 * ```
 *
 * A column is the weights to all outputs from one input, which lie together in tfjs.
 *
 * - Compressor: its own, `oneBit` by columns.
 * - Memory: (1 + 1/n) vectors a rank. Messages per step: one all-to-all and one all-gather.
 * - Step size: that of SGD. Its authors begin without quantisation: `warmup(oneBitSgd(), { steps })`; and scale by AdaGrad
 *   after aggregation: the inner optimizer.
 * - Source: Seide, Fu, Droppo, Li, Yu: "1-bit stochastic gradient descent", Interspeech 2014.
 * - Choose it as the classic baseline; `distEf` is close to it with momentum.
 *
 * @throws {RangeError} if `block` is not an integer ≥ 1
 *
 * @example
 * ```ts
 * import { minimise, oneBitSgd, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * console.assert(minimise(problem, oneBitSgd(), { rounds: 2000, step: .02, error: 1e-2 }).reached);
 * ```
 */
export function oneBitSgd(options: OneBitSgdOptions = {}): Method<TwoWayState> {
  const { block = 256 } = checkOptions("make oneBitSgd", options, ["block"]);
  checkInteger("make oneBitSgd", "block", block, 1);
  return {
    name: "oneBitSgd",
    options: { block },
    init: ({ size }, ranks = 1) => twoWayState(size, ranks),
    *reduce(gradient, state, context) {
      const blocks = blocksOf(context.layout, block);
      yield* bothWays(
        "oneBitSgd",
        gradient,
        state,
        (start) => byColumns(blocks, start),
        context,
        context.learningRate,
      );
    },
  };
}
