import { checkInteger, checkOptions } from "../../../options.ts";
import type { Method } from "../method.ts";
import { type BidirectionalState, bidirectionalState, compressBothWays } from "./bidirectional.ts";
import { blocksOf, byColumns } from "./column_blocks.ts";

/** Options of {@linkcode oneBitSgd}. */
export interface OneBitSgdOptions {
  /** Columns are taken together until they hold so many numbers, for their two means cost 8 bytes. Default 256. */
  readonly block?: number;
}

/**
 * 1-bit SGD: one bit a number each way, with two means for each column of a weight matrix, and error feedback wherever
 * something is quantised: on each rank, and again on the rank that adds up a stripe.
 *
 * ```text
 * vᵢ = gᵢ + (γ₋/γ) eᵢ                    gᵢ: the gradient of rank i; eᵢ: its error
 *                                        γ₋: the learning rate of the step before
 * send C(vᵢ), stripe by stripe;  eᵢ ← vᵢ − C(vᵢ)
 * s = (1/n) Σ C(vᵢ) + (γ₋/γ) e;  send C(s);  e ← s − C(s)          each stripe on the rank that serves it
 * C: a number becomes the mean of the numbers in its column that have its sign
 * g ← C(s)                                x ← x − γ g
 * ```
 *
 * A column holds the weights from one input to all outputs, which lie together in tfjs.
 *
 * - Compressor: none; it has its own, `oneBit` by columns.
 * - Memory: (1 + 1/n) vectors a rank. Messages per step: one all-to-all and one all-gather.
 * - Step size: that of SGD. Its authors begin without quantisation, as in `warmup(oneBitSgd(), { steps })`, and scale
 *   the aggregated gradient by AdaGrad: that is the inner optimizer here.
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
export function oneBitSgd(options: OneBitSgdOptions = {}): Method<BidirectionalState> {
  const { block = 256 } = checkOptions("make oneBitSgd", options, ["block"]);
  checkInteger("make oneBitSgd", "block", block, 1);
  return {
    name: "oneBitSgd",
    options: { block },
    init: ({ size }, ranks = 1) => bidirectionalState(size, ranks),
    *reduce(gradient, state, context) {
      const blocks = blocksOf(context.layout, block);
      yield* compressBothWays(gradient, state, context, {
        name: "oneBitSgd",
        compressorOf: (start) => byColumns(blocks, start),
        learningRate: context.learningRate,
      });
    },
  };
}
