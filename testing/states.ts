/** States of methods, copied and compared bit for bit. @module */

import type { State, Vector, Vectors } from "../optimizers/methods/method.ts";

/** A copy of the state. */
export function copyState({ local, shared }: State): State {
  const copy = (vectors: Vectors) => Object.fromEntries(Object.entries(vectors).map(([k, v]) => [k, v.slice()]));
  return { local: copy(local), shared: copy(shared) };
}

/** Where two vectors first differ, as "number 2 is 1 and 0"; undefined if they are equal to the last bit. */
export function difference(one: Vector, other: Vector): string | undefined {
  const at = one.findIndex((value, j) => !Object.is(value, other[j]));
  if (at < 0 && one.length === other.length) return undefined;
  const j = at < 0 ? one.length : at;
  return `number ${j} is ${one[j]} and ${other[j]}`;
}

/** @throws {Error} that says what differs and where, unless the vectors are equal */
export function requireSame(one: Vector, other: Vector, what: string): void {
  const where = difference(one, other);
  if (where !== undefined) throw new Error(`${what} differ: ${where}`);
}

/** @throws {Error} that says what differs and where, unless they have the same vectors */
export function requireSameVectors(one: Vectors, other: Vectors, what: string): void {
  const names = Object.keys(one).sort();
  if (names.join() !== Object.keys(other).sort().join()) throw new Error(`${what}: the states have different vectors`);
  for (const name of names) requireSame(one[name]!, other[name]!, `${what} ${name}`);
}

/** @throws {Error} that says what differs and where, unless the states are equal */
export function requireSameState(one: State, other: State, what: string): void {
  requireSameVectors(one.local, other.local, `${what}: local`);
  requireSameVectors(one.shared, other.shared, `${what}: shared`);
}
