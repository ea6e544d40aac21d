/** Methods inside other methods: their states joined into one, their working memory kept apart. @module */

import type { Round } from "../../../transport/round.ts";
import type { Context, Method, State, Vector, Vectors, Workspace } from "../method.ts";

/** One state for several methods: vector "x" of part "a" becomes "a.x". The vectors of `own` keep their names. */
export function joinStates(parts: Readonly<Record<string, State>>, own: Partial<State> = {}): State {
  const join = (kind: keyof State): Vectors => {
    const joined: Record<string, Vector> = { ...own[kind] };
    for (const [part, state] of Object.entries(parts)) {
      for (const [name, vector] of Object.entries(state[kind])) joined[`${part}.${name}`] = vector;
    }
    return joined;
  };
  return { local: join("local"), shared: join("shared") };
}

/** One part of a joined state: its vectors themselves, under the names that they had. */
export function partOf(state: State, part: string): State {
  const prefix = `${part}.`;
  const pick = (vectors: Vectors): Vectors => {
    const picked: Record<string, Vector> = {};
    for (const name in vectors) if (name.startsWith(prefix)) picked[name.slice(prefix.length)] = vectors[name]!;
    return picked;
  };
  return { local: pick(state.local), shared: pick(state.shared) };
}

/** A workspace for one part, whose slots do not meet those of other parts. */
export function partOfWorkspace(workspace: Workspace, part: string): Workspace {
  return {
    bytes: (slot, length) => workspace.bytes(`${part}.${slot}`, length),
    floats: (slot, length) => workspace.floats(`${part}.${slot}`, length),
    doubles: (slot, length) => workspace.doubles(`${part}.${slot}`, length),
  };
}

/** A copy of the state, in working memory. */
export function copyOf(state: State, workspace: Workspace, slot: string): State {
  const copy = (kind: keyof State): Vectors =>
    Object.fromEntries(
      Object.entries(state[kind]).map(([name, vector]) => {
        const copied = memoryLike(vector, workspace, `${slot}.${kind}.${name}`);
        copied.set(vector);
        return [name, copied];
      }),
    );
  return { local: copy("local"), shared: copy("shared") };
}

/** Working memory of the vector's type and length. */
function memoryLike(vector: Vector, workspace: Workspace, slot: string): Vector {
  if (vector instanceof Float32Array) return workspace.floats(slot, vector.length);
  if (vector instanceof Float64Array) return workspace.doubles(slot, vector.length);
  return workspace.bytes(slot, vector.length);
}

/** into := from, vector by vector. */
export function commit(from: State, into: State): void {
  for (const kind of ["local", "shared"] as const) {
    for (const name in into[kind]) into[kind][name]!.set(from[kind][name]!);
  }
}

/**
 * The context with some changes. Properties that nobody asks for are not evaluated: parameters may be costly to get.
 */
export function derive(context: Context, changes: Partial<Context>): Context {
  return Object.create(
    context,
    Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, { value, enumerable: true }])),
  );
}

/**
 * @throws {TypeError} for an inner method that does not yield a gradient, or that asks for gradients at other points
 */
export function requireGradient(what: string, { name, yields = "gradient", asksGradients }: Method): void {
  if (yields === "gradient" && !asksGradients) return;
  const why = yields === "gradient" ? "asks for a gradient at another point" : "owns the update";
  throw new TypeError(`Cannot make ${what} of ${name}: it ${why}, expected a method that averages gradients`);
}

/** @throws {TypeError} for a round that asks for a gradient, which an outer method cannot answer */
export function refuseGradient({ name }: Method, { op }: Round): void {
  if (op === "gradient") {
    throw new TypeError(`Cannot run ${name} inside another method: it asks for a gradient at another point`);
  }
}
