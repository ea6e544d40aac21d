import { requireMethod } from "../check_method.ts";
import { show } from "../../../options.ts";
import type { Method } from "../method.ts";

/**
 * One method whose compressor changes with the step: a step is taken by the stage with the largest key that is not
 * above its number. All stages are made by one factory and work on one state, so that what has not been sent yet is
 * carried over.
 *
 * Memory and messages per step: those of the stage. Step size: the least of all stages' step sizes.
 *
 * @param stages the method from each step on; the first key is 0
 * @throws {RangeError} if a key is not an integer ≥ 0, or none is 0
 * @throws {TypeError} if the stages are made by different factories
 *
 * @example
 * ```ts
 * import { errorFeedback, minimise, quadratic, schedule } from "@gradwire/tfjs/optimizers";
 * import { topK } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = schedule({ 0: errorFeedback(topK({ ratio: 1 })), 50: errorFeedback(topK({ ratio: .5 })) });
 * console.assert(minimise(problem, method, { rounds: 100, step: .1, error: 1e-3 }).reached);
 * ```
 */
export function schedule(stages: Readonly<Record<number, Method>>): Method {
  const keys = typeof stages === "object" && stages !== null && !Array.isArray(stages) ? Object.keys(stages) : [];
  if (keys.length === 0 || !keys.some((from) => Number.isFinite(Number(from)))) {
    throw new TypeError(
      `Cannot make schedule: the stages are ${show(stages)}, expected methods by their first step, as in ` +
        "schedule({ 0: errorFeedback(topK({ ratio: 0.1 })), 1000: errorFeedback(topK({ ratio: 0.01 })) })",
    );
  }
  const entries = Object.entries(stages).map(([from, method]) => ({ from: Number(from), method }));
  entries.sort((a, b) => a.from - b.from);
  for (const { from, method } of entries) {
    if (!Number.isSafeInteger(from) || from < 0) {
      throw new RangeError(`Cannot make schedule: a stage starts at ${from}, expected an integer ≥ 0`);
    }
    requireMethod("make schedule", `the stage from ${from}`, method);
  }
  const first = entries[0];
  if (first?.from !== 0) {
    throw new RangeError(`Cannot make schedule: its first stage starts at ${first?.from}, expected 0`);
  }
  const { method: { name, yields } } = first;
  const other = entries.find(({ method }) => method.name !== name);
  if (other) {
    throw new TypeError(
      `Cannot make schedule: ${name} turns into ${other.method.name} at step ${other.from}, expected one method ` +
        "(see warmup)",
    );
  }
  return {
    name: "schedule",
    options: { stages },
    ...yields === undefined ? {} : { yields },
    sampled: entries.every(({ method }) => method.sampled ?? false),
    asksGradients: entries.some(({ method }) => method.asksGradients ?? false),
    identityAlone: entries.every(({ method }) => method.identityAlone ?? false),
    ...entries.every(({ method }) => method.stepSize)
      ? { stepSize: (constants) => Math.min(...entries.map(({ method }) => method.stepSize!(constants))) }
      : {},
    init: (layout, ranks) => first.method.init(layout, ranks),
    reduce: (gradient, state, context) =>
      entries.findLast(({ from }) => from <= context.step)!.method.reduce(gradient, state, context),
  };
}
