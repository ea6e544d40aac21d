import { average } from "../average.ts";
import { checkOptions, requireInteger, requireReducer } from "../check.ts";
import { derive, joinStates, partOf, partOfWorkspace } from "./nested.ts";
import type { Reducer } from "../method.ts";

/** Options of {@linkcode warmup}. */
export interface WarmupOptions {
  /** How many steps `from` takes before `reducer` does. */
  readonly steps: number;
  /** The method of these steps. Default `average()`. */
  readonly from?: Reducer;
}

/**
 * One method for the first steps, another for the rest: gradients are large and change fast in the beginning, when little
 * should be left out of them.
 *
 * Memory: that of both. Messages per step: those of the method that takes the step. Step size: the lesser of
 * the two methods'.
 *
 * @throws {RangeError} if `steps` is not an integer ≥ 0
 * @throws {TypeError} if one method owns the update and the other does not
 *
 * @example
 * ```ts
 * import { minimise, quadratic, warmup, errorFeedback } from "@gradwire/tfjs/optimizers";
 * import { topK } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = warmup(errorFeedback(topK({ k: 1 })), { steps: 3 });
 * console.assert(minimise(problem, method, { rounds: 4, step: .1 }).bytes > 3 * 8);
 * ```
 */
export function warmup(reducer: Reducer, options: WarmupOptions): Reducer {
  const { steps, from = average() } = checkOptions("warmup", options, ["steps", "from"]);
  requireReducer("warmup", "the method", reducer), requireReducer("warmup", "from", from);
  requireInteger("warmup", "steps", steps, 0);
  const [before = "gradient", after = "gradient"] = [from.yields, reducer.yields];
  if (before !== after) {
    throw new TypeError(
      `Cannot make warmup: ${from.name} gives a ${before} and ${reducer.name} a ${after}, expected the same of both`,
    );
  }
  return {
    name: "warmup",
    options: { reducer, steps, from },
    yields: after,
    sampled: [from, reducer].every((part) => part.sampled ?? false),
    asksGradients: [from, reducer].some((part) => part.asksGradients ?? false),
    identityAlone: [from, reducer].every((part) => part.identityAlone ?? false),
    ...from.stepSize && reducer.stepSize
      ? { stepSize: (constants) => Math.min(from.stepSize!(constants), reducer.stepSize!(constants)) }
      : {},
    init: (layout, ranks) => joinStates({ from: from.init(layout, ranks), reducer: reducer.init(layout, ranks) }),
    *reduce(gradient, state, context) {
      const [part, method] = context.step < steps ? ["from", from] as const : ["reducer", reducer] as const;
      const own = derive(context, { workspace: partOfWorkspace(context.workspace, part) });
      yield* method.reduce(gradient, partOf(state, part), own);
    },
  };
}
