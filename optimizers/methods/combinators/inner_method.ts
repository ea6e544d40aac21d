/** Methods inside methods: their states joined into one, their working memory kept apart. @module */

import type { Round } from "../../../transport/round.ts";
import type { Context, Exchange, Method, State, Vector, Vectors, Workspace } from "../method.ts";

/** One state of several parts: part "a" with vector "x" becomes "a.x"; what is the whole's own keeps its names. */
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

/** The part of a joined state: the same vectors under their own names. */
export function partOf(state: State, part: string): State {
  const prefix = `${part}.`;
  const pick = (vectors: Vectors): Vectors => {
    const picked: Record<string, Vector> = {};
    for (const name in vectors) if (name.startsWith(prefix)) picked[name.slice(prefix.length)] = vectors[name]!;
    return picked;
  };
  return { local: pick(state.local), shared: pick(state.shared) };
}

/** A workspace whose slots are the part's own. */
export function partOfWorkspace(workspace: Workspace, part: string): Workspace {
  return {
    bytes: (slot, length) => workspace.bytes(`${part}.${slot}`, length),
    floats: (slot, length) => workspace.floats(`${part}.${slot}`, length),
    doubles: (slot, length) => workspace.doubles(`${part}.${slot}`, length),
  };
}

/** A copy of the state in working memory. */
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

/** The context with some of it changed. What is not asked for is not evaluated: parameters may be costly to get. */
export function derive(context: Context, changes: Partial<Context>): Context {
  return Object.create(
    context,
    Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, { value, enumerable: true }])),
  );
}

/** Refuses an inner method that does not give a gradient, or that asks for others than the one that it is given. */
export function requireGradient(what: string, { name, yields = "gradient", asksGradients }: Method): void {
  if (yields === "gradient" && !asksGradients) return;
  const why = yields === "gradient" ? "asks for a gradient at another point" : "owns the update";
  throw new TypeError(`Cannot make ${what} of ${name}: it ${why}, expected a method that averages gradients`);
}

/** Refuses an inner method that is wrong where only some of the ranks take part in a step. */
export function requireSampled(what: string, fraction: number, { name, sampled }: Method): void {
  if (fraction === 1 || sampled) return;
  throw new TypeError(
    `Cannot make ${what} of ${name} with a fraction of ${fraction}: it remembers or exchanges what only all ranks ` +
      "together can, expected a method whose memory each rank keeps for itself, such as average, errorFeedback or diana",
  );
}

/**
 * The step of an inner method in which only `members` (ascending) take part. A rank that is none of them sends nothing and
 * runs along on a copy of its local state, so that what the ranks share stays equal on all. What the members would sum by
 * all-reduce, they gather: in an all-reduce the others would have to send a whole vector of zeros.
 */
export function* among(
  members: ArrayLike<number>,
  method: Method,
  vector: Float32Array,
  state: State,
  context: Context,
): Exchange {
  const { rank, size, workspace } = context,
    place = Array.prototype.indexOf.call(members, rank),
    takesPart = place >= 0;
  const own = derive(context, {
    rank: Math.max(0, place),
    size: members.length,
    ...members.length === size ? {} : { participation: members.length / size },
    keyOf: (member) => context.keyOf(members[member]!),
  });
  if (!takesPart) vector.fill(0);
  const exchange = method.reduce(
    vector,
    takesPart ? state : { ...copyOf(state, workspace, "absent"), shared: state.shared },
    own,
  );
  try {
    for (let next = exchange.next([]); !next.done;) {
      const round = next.value;
      refuseGradient(method, round);
      if (members.length === size) {
        next = exchange.next(yield round);
      } else if (round.op === "allGather") {
        const replies = yield takesPart ? round : { op: "allGather", message: nothing };
        next = exchange.next(Array.from(members, (member) => replies[member]!));
      } else if (round.op === "allReduce") {
        const { vector } = round, bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
        const replies = yield { op: "allGather", message: takesPart ? bytes : nothing };
        sum(Array.from(members, (member) => replies[member]!), vector, workspace);
        next = exchange.next([]);
      } else {
        throw new TypeError(
          `Cannot run ${method.name} among ${members.length} of ${size} ranks: it asks for ${round.op}, expected ` +
            "allGather or allReduce",
        );
      }
    }
  } finally {
    exchange.return();
  }
}

const nothing = new Uint8Array(0);

/** into := the sum of the messages, which hold float32 as `into` does, in their order: equal bits on all ranks. */
function sum(messages: readonly Uint8Array[], into: Float32Array, workspace: Workspace): void {
  const total = workspace.floats("among: sum", into.length).fill(0),
    part = workspace.floats("among: part", into.length);
  for (const message of messages) {
    if (message.length !== into.byteLength) {
      throw new RangeError(`Cannot add up a message of ${message.length} bytes, expected ${into.byteLength}`);
    }
    new Uint8Array(part.buffer, part.byteOffset, part.byteLength).set(message);
    for (let j = 0; j < part.length; j++) total[j]! += part[j]!;
  }
  into.set(total);
}

/** Refuses a round that an inner method cannot have answered. */
export function refuseGradient({ name }: Method, { op }: Round): void {
  if (op === "gradient") {
    throw new TypeError(`Cannot run ${name} inside another method: it asks for a gradient at another point`);
  }
}
