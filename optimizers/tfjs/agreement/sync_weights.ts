/** Making a model's weights equal among ranks. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { checkOptions, show } from "../../../options.ts";
import { allGather, allReduce, broadcast, type Exchange } from "../../../transport/round.ts";
import { Bucket, layoutOf } from "../variables/bucket.ts";
import { Snapshot } from "../variables/snapshot.ts";
import type { Variable } from "../variables/tfjs.ts";
import { isModel, requireWeights, tensorBytes, variablesOf, type Weights } from "../variables/weights.ts";
import { runCall } from "./calls.ts";
import { compareFacts } from "./compare.ts";
import { type Group, requireGroup } from "./group.ts";

/**
 * Gives all ranks the weights of one of them: all weights of a model, or the variables given. Frozen weights and
 * BatchNorm's moving averages are among them, which have no gradients, so that the optimizer never sees them. All ranks
 * must call it.
 *
 * Messages: an all-gather of types and shapes as text, then a broadcast of the weights.
 *
 * @param options `root` is the rank whose weights all ranks get. Default 0
 * @throws {Error} on all ranks, if weights differ among ranks in number, type or shape; nothing has been changed then
 * @throws {TypeError} if an argument is not what it should be, or a weight is not float32, int32 or bool
 * @throws {RangeError} if `root` is no rank of the group
 * @throws {TransportError} if a rank is lost
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { broadcastState } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const groups = memory(2).map((transport) => collective(transport));
 * const ranks = groups.map(({ rank }) => tf.variable(tf.scalar(rank)));
 * await Promise.all(groups.map((group, rank) => broadcastState([ranks[rank]!], group)));
 * console.assert(ranks.every((variable) => variable.dataSync()[0] === 0));
 * for (const group of groups) await group[Symbol.asyncDispose]();
 * ```
 */
export function broadcastState(
  weights: Weights,
  group: Group,
  options: { readonly root?: number } = {},
): Promise<void> {
  requireWeights("broadcast the state", weights), requireGroup("broadcast the state", group);
  checkOptions("broadcast the state", options, ["root"]);
  const { root = 0 } = options;
  if (!(Number.isInteger(root) && 0 <= root && root < group.size)) {
    throw new RangeError(`Cannot broadcast the state: root is ${show(root)}, expected a rank below ${group.size}`);
  }
  return runCall("broadcast the state", compareAndBroadcast(variablesOf(weights), root, group.rank), group);
}

/**
 * Gives all ranks the mean of their weights: of the weights of a model that are not trained, or of the variables given.
 * BatchNorm's moving averages then reflect the data of all ranks. A number that is equal on all ranks keeps its bits;
 * weights that are not float32 become rank 0's. All ranks must call it.
 *
 * Messages: an all-gather of types and shapes as text, then a broadcast and an all-reduce of these weights.
 *
 * @throws {Error} on all ranks, if weights differ among ranks in number, type or shape; nothing has been changed then
 * @throws {RangeError} on all ranks, if a mean is not finite; nothing has been changed then
 * @throws {TypeError} if an argument is not what it should be, or a weight is not float32, int32 or bool
 * @throws {TransportError} if a rank is lost
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { averageState } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const groups = memory(2).map((transport) => collective(transport));
 * const ranks = groups.map(({ rank }) => tf.variable(tf.scalar(rank)));
 * await Promise.all(groups.map((group, rank) => averageState([ranks[rank]!], group)));
 * console.assert(ranks.every((variable) => variable.dataSync()[0] === 0.5));
 * for (const group of groups) await group[Symbol.asyncDispose]();
 * ```
 */
export function averageState(weights: Weights, group: Group): Promise<void> {
  requireWeights("average the state", weights), requireGroup("average the state", group);
  const variables = isModel(weights) ? variablesOf(weights, weights.nonTrainableWeights) : variablesOf(weights);
  return runCall("average the state", averageVariables(variables, group.rank, group.size), group);
}

function* averageVariables(variables: readonly Variable[], rank: number, size: number): Exchange {
  yield* compareWeights("average the state", "averageState", variables);
  const floats = variables.filter(({ dtype }) => dtype === "float32"), bucket = new Bucket(layoutOf(floats));
  const difference = bucket.gather(floats).slice();
  const before = new Snapshot(variables);
  let done = false;
  try {
    yield* broadcastVariables(variables, 0, rank);
    // The mean is computed as rank 0's value plus the mean difference from it, which is exact where all ranks agree. A
    // difference is at most twice the largest float32. Each is therefore multiplied by `small`, a power of two of at
    // most 1/(2n), so that the sum over n ranks is finite.
    const mean = bucket.gather(floats), small = 2 ** -Math.ceil(Math.log2(2 * size));
    for (let i = 0; i < mean.length; i++) {
      const mine = difference[i]!, theirs = mean[i]!;
      difference[i] = Object.is(mine, theirs) ? 0 : (mine - theirs) * small;
    }
    yield* allReduce(difference);
    for (let i = 0; i < mean.length; i++) mean[i]! += difference[i]! / (small * size);
    // A number on which the ranks agree has difference 0, even if it is infinite, and stays as it is.
    if (bucket.firstNonFinite(difference) >= 0) {
      before.restore();
      yield* refuseMean(floats, bucket, difference);
    }
    floats.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i))));
    done = true;
  } finally {
    if (!done) before.restore();
    before[Symbol.dispose]();
  }
}

/** Throws the error of a mean that is not finite, once the ranks have told one another whose numbers are not finite. */
function* refuseMean(variables: readonly Variable[], bucket: Bucket, difference: Float32Array): Exchange {
  const own = bucket.gather(variables), message = new Uint8Array(4);
  // Only the numbers whose mean is not finite count.
  for (let i = 0; i < own.length; i++) if (Number.isFinite(difference[i])) own[i] = 0;
  new DataView(message.buffer).setInt32(0, bucket.firstNonFinite(own), true);
  const brought = (yield* allGather(message)).map(({ buffer, byteOffset }) =>
    new DataView(buffer, byteOffset).getInt32(0, true)
  );
  const rank = brought.findIndex((i) => i >= 0), i = rank < 0 ? bucket.firstNonFinite(difference) : brought[rank]!;
  throw new RangeError(
    `Cannot average the state: weight ${i} (${variables[i]!.name}) is not finite ` +
      (rank < 0 ? "after the exchange, although it is on all ranks before" : `on rank ${rank}`),
  );
}

/** Refuses weights that differ among ranks in number, type or shape, and weights whose type cannot be sent. */
function* compareWeights(what: string, call: string, variables: readonly Variable[], root = 0): Exchange {
  const weight = variables.map(({ isDisposed, dtype, shape }) => isDisposed ? "disposed of" : `${dtype} [${shape}]`);
  yield* compareFacts(what, { call, root, weight });
  const odd = variables.findIndex(({ isDisposed, dtype }) =>
    isDisposed || !["float32", "int32", "bool"].includes(dtype)
  );
  if (odd < 0) return;
  throw new TypeError(
    `Cannot ${what}: weight ${odd} (${variables[odd]!.name}) is ${weight[odd]}, expected float32, int32 or bool`,
  );
}

function* compareAndBroadcast(variables: readonly Variable[], root: number, rank: number): Exchange {
  yield* compareWeights("broadcast the state", "broadcastState", variables, root);
  yield* broadcastVariables(variables, root, rank);
}

function* broadcastVariables(variables: readonly Variable[], root: number, rank: number): Exchange {
  const size = variables.reduce((size, variable) => size + tensorBytes(variable).length, 0),
    mine = new Uint8Array(size);
  let at = 0;
  for (const variable of variables) {
    const bytes = tensorBytes(variable);
    mine.set(bytes, at), at += bytes.length;
  }
  const theirs = yield* broadcast(root, mine);
  if (rank === root) return;
  if (theirs.length !== size) {
    throw new RangeError(
      `Cannot take over the state of rank ${root}: it sent ${theirs.length} bytes, expected ${size}`,
    );
  }
  mine.set(theirs), at = 0;
  for (const variable of variables) {
    const { length } = tensorBytes(variable), { shape, dtype } = variable;
    // A copy for each variable, because on the cpu backend it shares the memory that it is made from.
    const { buffer } = mine.slice(at, at += length);
    const values = dtype === "float32"
      ? new Float32Array(buffer)
      : dtype === "int32"
      ? new Int32Array(buffer)
      : new Uint8Array(buffer);
    tf.tidy(() => variable.assign(tf.tensor(values, shape, dtype)));
  }
}
