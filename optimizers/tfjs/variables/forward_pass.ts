import { Snapshot } from "./snapshot.ts";
import type { Optimizer } from "./tfjs.ts";
import { slotsByName } from "../undo.ts";
import { notTrained } from "./variables.ts";

/**
 * Runs a forward pass and holds on to what the variables were before to which it assigns by itself: BatchNorm's moving
 * averages. If it throws, they are so again.
 *
 * @param inner the optimizer whose slots no forward pass assigns to
 * @returns what the pass returns, and the variables it has assigned to, as they were before: the caller disposes of that
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
