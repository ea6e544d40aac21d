import { slotsByName } from "./slots.ts";
import { Snapshot } from "./snapshot.ts";
import type { Optimizer } from "./tfjs.ts";
import { notTrained } from "./variables.ts";

/**
 * Runs a forward pass and holds on to the former values of the variables that it assigns to by itself, such as
 * BatchNorm's moving averages. If the pass throws, these variables get their former values back.
 *
 * @param inner the optimizer whose slots are left out: no forward pass assigns to them
 * @returns what the pass returns, and a snapshot, which the caller disposes of, of the variables that the pass has
 *   assigned to, with the values that they had before it
 */
export function forwardPass<R>(inner: Optimizer, pass: () => R): { readonly result: R; readonly before: Snapshot } {
  const slots = new Set(slotsByName(inner).map(([, variable]) => variable));
  const before = new Snapshot(notTrained().filter((variable) => !slots.has(variable)));
  try {
    const result = pass();
    before.narrow(before.changed());
    return { result, before };
  } catch (error) {
    before.restore();
    before[Symbol.dispose]();
    throw error;
  }
}
