/** Rounds in which only some of the ranks take part. @module */

import { choose } from "../../../random.ts";
import { relay } from "../../../transport/round.ts";
import { keyFor } from "../keys.ts";
import type { Context, Exchange, Method, State, Workspace } from "../method.ts";
import { copyOf, derive, refuseGradient } from "./inner_method.ts";
import { bytesOf } from "../../../bytes.ts";

/**
 * The ranks that take part in the round to which this step belongs, ascending: drawn anew for each round, equal on all
 * ranks.
 *
 * @param fraction the share of the ranks that take part
 * @param every steps in a round
 */
export function sampleRanks(
  fraction: number,
  every: number,
  { step, size, keysAt }: Pick<Context, "step" | "size" | "keysAt">,
): Uint32Array {
  const first = step - step % every;
  return choose(keyFor(keysAt(first).shared, "members"), sampleSize(fraction, size), size);
}

/** |S|, the number of ranks that take part in a round: at least one. */
export function sampleSize(fraction: number, ranks: number): number {
  return Math.max(1, Math.min(ranks, Math.round(fraction * ranks)));
}

/** q: the mean of |S| of n vectors, drawn without replacement, has q/|S| times the variance of one of them. */
export function samplingVariance(taking: number, ranks: number): number {
  return ranks === 1 ? 0 : (ranks - taking) / (ranks - 1);
}

/**
 * @throws {TypeError} for a method that is wrong where only some of the ranks take part in a step, if the fraction is
 * below 1
 */
export function requireSampled(what: string, fraction: number, { name, sampled }: Method): void {
  if (fraction === 1 || sampled) return;
  throw new TypeError(
    `Cannot make ${what} of ${name} with a fraction of ${fraction}: it remembers or exchanges what only all ranks ` +
      "together can, expected a method whose memory each rank keeps for itself, such as average, errorFeedback or diana",
  );
}

/**
 * The step of an inner method in which only `members` (ascending) take part. Another rank sends messages of no bytes
 * and goes through the step on a copy of its local state, so that the shared state stays equal on all ranks. What the
 * method would sum by all-reduce is gathered: in an all-reduce the others would have to send a vector of zeros.
 */
export function* among(
  members: ArrayLike<number>,
  method: Method,
  vector: Float32Array,
  state: State,
  context: Context,
): Exchange {
  const { rank, size, workspace } = context;
  const place = Array.prototype.indexOf.call(members, rank), takesPart = place >= 0;
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
  yield* relay(exchange, function* (round) {
    refuseGradient(method, round);
    if (members.length === size) return yield round;
    if (round.op !== "allGather" && round.op !== "allReduce") {
      throw new TypeError(
        `Cannot run ${method.name} among ${members.length} of ${size} ranks: it asks for ${round.op}, expected ` +
          "allGather or allReduce",
      );
    }
    const own = round.op === "allGather" ? round.message : bytesOf(round.vector);
    const replies = yield { op: "allGather", message: takesPart ? own : nothing };
    const messages = Array.from(members, (member) => replies[member]!);
    if (round.op === "allGather") return messages;
    sum(messages, round.vector, workspace);
    return [];
  });
}

const nothing = new Uint8Array(0);

/** into := the sum of the messages, which hold float32, in their order: equal bits on all ranks. */
function sum(messages: readonly Uint8Array[], into: Float32Array, workspace: Workspace): void {
  const total = workspace.floats("among: sum", into.length).fill(0),
    part = workspace.floats("among: part", into.length);
  for (const message of messages) {
    if (message.length !== into.byteLength) {
      throw new RangeError(`Cannot add up a message of ${message.length} bytes, expected ${into.byteLength}`);
    }
    bytesOf(part).set(message);
    for (let j = 0; j < part.length; j++) total[j]! += part[j]!;
  }
  into.set(total);
}
