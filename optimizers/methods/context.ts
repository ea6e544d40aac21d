import { type Keys, keysOfStep } from "./keys.ts";
import type { Context } from "./method.ts";

/**
 * The context of one step: what it is given, and the step's keys.
 *
 * @param seed a safe integer ≥ 0, equal on all ranks, from which all keys are made
 * @throws {RangeError} if the seed is not one
 *
 * @example
 * ```ts
 * import { context, workspace } from "@gradwire/tfjs/optimizers";
 * const layout = { names: ["w"], shapes: [[2]], size: 2 };
 * const { shared } = context({ seed: 1, step: 0, rank: 0, size: 2, layout, workspace: workspace() });
 * console.assert(shared.length === 2);
 * ```
 */
export function context(
  { seed, ...rest }: Omit<Context, keyof Keys | "keysAt"> & { readonly seed: number },
): Context {
  const keysAt = (step: number) => keysOfStep(seed, step);
  return { ...rest, ...keysAt(rest.step), keysAt };
}
