import type { Vector, Workspace } from "./method.ts";

/**
 * A workspace whose slots grow to the largest length that they were asked for.
 *
 * @example
 * ```ts
 * import { workspace } from "@gradwire/tfjs/optimizers";
 * const memory = workspace(), mean = memory.floats("mean", 3).fill(1);
 * console.assert(memory.floats("mean", 3) === mean);
 * ```
 */
export function workspace(): Workspace {
  const bytes = new Map<string, Uint8Array>(), floats = new Map<string, Float32Array>();
  const doubles = new Map<string, Float64Array>();
  return {
    bytes: (slot, length) => grown(bytes, slot, length, Uint8Array),
    floats: (slot, length) => grown(floats, slot, length, Float32Array),
    doubles: (slot, length) => grown(doubles, slot, length, Float64Array),
  };
}

function grown<A extends Vector>(
  slots: Map<string, A>,
  slot: string,
  length: number,
  type: new (length: number) => A,
): A {
  let memory = slots.get(slot);
  if (memory === undefined || memory.length < length) slots.set(slot, memory = new type(length));
  return (memory.length === length ? memory : memory.subarray(0, length)) as A;
}
