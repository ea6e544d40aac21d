import { average } from "../average.ts";
import { checkInteger, checkOptions } from "../../../options.ts";
import { requireMethod } from "../check_method.ts";
import { derive, joinStates, partOf, partOfWorkspace } from "../parts/inner_method.ts";
import type { Method } from "../method.ts";

/** Options of {@linkcode warmup}. */
export interface WarmupOptions {
  /** How many steps `from` takes before `method` takes over. */
  readonly steps: number;
  /** The method of these steps. Default `average()`. */
  readonly from?: Method;
}

/**
 * One method for the first steps, another for the rest. In the beginning gradients are large and change fast: little
 * should be left out of them.
 *
 * Memory: that of both methods. Messages per step: those of the method that takes the step. Step size: the lesser of
 * the two methods' step sizes.
 *
 * @param method the method that takes over
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
export function warmup(method: Method, options: WarmupOptions): Method {
  const { steps, from = average() } = checkOptions("make warmup", options, ["steps", "from"]);
  requireMethod("make warmup", "the method", method), requireMethod("make warmup", "from", from);
  checkInteger("make warmup", "steps", steps, 0);
  const [before = "gradient", after = "gradient"] = [from.yields, method.yields];
  if (before !== after) {
    throw new TypeError(
      `Cannot make warmup: ${from.name} gives a ${before} and ${method.name} a ${after}, expected the same of both`,
    );
  }
  return {
    name: "warmup",
    options: { method, steps, from },
    yields: after,
    sampled: [from, method].every((part) => part.sampled ?? false),
    asksGradients: [from, method].some((part) => part.asksGradients ?? false),
    identityAlone: [from, method].every((part) => part.identityAlone ?? false),
    ...from.stepSize && method.stepSize
      ? { stepSize: (constants) => Math.min(from.stepSize!(constants), method.stepSize!(constants)) }
      : {},
    init: (layout, ranks) => joinStates({ from: from.init(layout, ranks), method: method.init(layout, ranks) }),
    *reduce(gradient, state, context) {
      const [part, active] = context.step < steps ? ["from", from] as const : ["method", method] as const;
      const own = derive(context, { workspace: partOfWorkspace(context.workspace, part) });
      yield* active.reduce(gradient, partOf(state, part), own);
    },
  };
}
