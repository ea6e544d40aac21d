/**
 * The memory of an inner optimizer whose class a user wrote. tfjs's own optimizers keep variables in fields and in
 * lists of `{ originalName, variable }`. Others may keep variables, tensors, typed arrays and numbers in lists, maps
 * and objects.
 *
 * @module
 */

import * as tf from "../../../dependencies/tfjs.ts";
import type { Optimizer, Tensor } from "./tfjs.ts";

/** tfjs's own classes. Apart from the number of steps, they remember everything in variables. */
const known: ReadonlySet<unknown> = new Set([
  tf.SGDOptimizer,
  tf.MomentumOptimizer,
  tf.AdagradOptimizer,
  tf.AdadeltaOptimizer,
  tf.AdamOptimizer,
  tf.AdamaxOptimizer,
  tf.RMSPropOptimizer,
]);

/** Whether a user wrote the optimizer's class. */
export function isOwn(optimizer: Optimizer): boolean {
  return !known.has(optimizer.constructor);
}

/** The keys and values of a list, a map or an object. */
type Entries = readonly (readonly [key: unknown, value: unknown])[];

/** Whether an optimizer's memory may lie in a value: in a list, map, plain object or another optimizer. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  if (Array.isArray(value) || value instanceof Map) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ||
    typeof (value as { applyGradients?: unknown }).applyGradients === "function";
}

function entriesOf(container: object): Entries {
  return container instanceof Map ? [...container] : Object.entries(container);
}

/** A container and all containers that can be reached from it, with their keys and values. */
function containers(first: object): Map<object, Entries> {
  const found = new Map<object, Entries>(), open = [first];
  for (const container of open) {
    if (found.has(container)) continue;
    const entries = entriesOf(container);
    found.set(container, entries);
    for (const [, value] of entries) if (isContainer(value)) open.push(value);
  }
  return found;
}

/** All tensors that can be reached from a value, variables included, in the order in which they were put there. */
export function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  if (!isContainer(value)) return [];
  return [...containers(value).values()].flatMap((entries) =>
    entries.flatMap(([, value]) => value instanceof tf.Tensor ? [value] : [])
  );
}

/** Whether a typed array can be reached from a value. */
export function hasArrays(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return true;
  return isContainer(value) &&
    [...containers(value).values()].some((entries) => entries.some(([, value]) => ArrayBuffer.isView(value)));
}

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/** All that such an optimizer remembers at one moment, except for its variables' values, which a `Snapshot` holds. */
export class OwnMemory implements Disposable {
  readonly #optimizer: Optimizer;
  readonly #containers: ReadonlyMap<object, Entries>;
  readonly #lengths: ReadonlyMap<unknown[], number>;
  /** For each tensor but variables another one that shares its memory: the optimizer may dispose of its own. */
  readonly #shared = new Map<Tensor, Tensor>();
  /** The sharing tensors that `restore` has given to the optimizer in place of its own. */
  readonly #given = new Set<Tensor>();
  readonly #copies = new Map<Numbers, Numbers>();

  /** Notes what the optimizer remembers now. */
  constructor(optimizer: Optimizer) {
    this.#optimizer = optimizer;
    this.#containers = containers(optimizer);
    this.#lengths = new Map([...this.#containers.keys()].filter(Array.isArray).map((list) => [list, list.length]));
    for (const entries of this.#containers.values()) {
      for (const [, value] of entries) {
        if (ArrayBuffer.isView(value)) this.#copies.set(value as Numbers, (value as Numbers).slice());
        if (!(value instanceof tf.Tensor) || value instanceof tf.Variable || value.isDisposed) continue;
        if (!this.#shared.has(value)) this.#shared.set(value, tf.keep(value.clone()));
      }
    }
  }

  /** Makes the optimizer remember this again, and disposes of the tensors that it has made since. */
  restore(): void {
    const before = new Set([...this.#containers.values()].flatMap((entries) => entries.map(([, value]) => value)));
    const made = tensorsIn(this.#optimizer).filter((tensor) => !before.has(tensor));
    for (const [container, entries] of this.#containers) this.#put(container, entries);
    for (const [array, copy] of this.#copies) array.set(copy);
    tf.dispose(made);
  }

  #put(container: object, entries: Entries): void {
    const keys = new Set(entries.map(([key]) => key)), fields = container as Record<string, unknown>;
    if (container instanceof Map) { for (const key of [...container.keys()]) keys.has(key) || container.delete(key); }
    else for (const key of Object.keys(container)) keys.has(key) || delete fields[key];
    for (const [key, value] of entries) {
      const given = this.#live(value);
      if (container instanceof Map) container.set(key, given);
      else if (!Object.is(fields[key as string], given)) fields[key as string] = given;
    }
    if (Array.isArray(container)) container.length = this.#lengths.get(container)!;
  }

  /** The value, or, where it is a tensor that has been disposed of, the tensor that shares its memory. */
  #live(value: unknown): unknown {
    const shared = this.#shared.get(value as Tensor);
    if (shared === undefined || !(value as Tensor).isDisposed) return value;
    this.#given.add(shared);
    return shared;
  }

  /** Lets go of the tensors that are held. */
  [Symbol.dispose](): void {
    for (const shared of this.#shared.values()) if (!this.#given.has(shared)) shared.dispose();
  }
}
