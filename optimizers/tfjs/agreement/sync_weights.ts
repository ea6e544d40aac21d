/** A model's weights among ranks: are they equal, and making them so. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { checkOptions, show } from "../../../options.ts";
import { allGather, allReduce, broadcast, type Exchange } from "../../../transport/round.ts";
import { Bucket, layoutOf } from "../variables/bucket.ts";
import { compareFacts } from "./compare.ts";
import { digest } from "../../files/digest.ts";
import { runCall } from "./calls.ts";
import type { Group } from "./group.ts";
import { requireGroup, requireWeights } from "../require.ts";
import { Snapshot } from "../variables/snapshot.ts";
import type { LayersModel, Tensor, Variable } from "../variables/tfjs.ts";

/** A model, or the variables themselves. */
export type Weights = LayersModel | readonly Variable[];

/**
 * A digest of the values of a model's weights (or of variables), their types and shapes, in their order: 16
 * hexadecimal digits, equal on all ranks where the replicas are equal to the last bit.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { weightsDigest } from "@gradwire/tfjs/optimizers";
 * const a = tf.variable(tf.tensor1d([1, 2])), b = tf.variable(tf.tensor1d([1, 2]));
 * console.assert(weightsDigest([a]) === weightsDigest([b]));
 * b.assign(tf.tensor1d([1, 3]));
 * console.assert(weightsDigest([a]) !== weightsDigest([b]));
 * ```
 */
export function weightsDigest(weights: Weights): string {
  requireWeights("make a digest of the weights", weights);
  const sum = digest();
  for (const variable of variablesOf(weights)) {
    sum.text(`${variable.dtype}[${variable.shape}]`).bytes(bytesOf(variable));
  }
  return sum.hex();
}

/**
 * All weights of a model (or variables) := those of `root`, frozen ones and BatchNorm's moving averages included, which
 * are not gradients and which the optimizer therefore never sees. All ranks must call it. The ranks compare types and
 * shapes, and then there is one broadcast of the weights.
 *
 * @throws {Error} on all ranks, if weights differ among ranks in number, type or shape; nothing has been changed then
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
 * The weights that are not trained (or the variables given) := their mean over ranks: BatchNorm's moving averages then
 * speak for the data of all ranks. What is equal on all ranks stays as it is to the last bit; weights that are not
 * float32 become rank 0's. All ranks must call it. The ranks compare types and shapes; then there are a broadcast and an
 * all-reduce of these weights.
 *
 * @throws {Error} on all ranks, if weights differ among ranks in number, type or shape; nothing has been changed then
 * @throws {RangeError} on all ranks, if a mean is not finite; nothing has been changed then
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
    // The mean as rank 0's value plus the mean difference from it, which is exact where all ranks agree. Differences are at
    // most twice the largest number, so that their sum over n ranks, each times a power of two below 1/2n, is finite.
    const mean = bucket.gather(floats), small = 2 ** -Math.ceil(Math.log2(2 * size));
    for (let i = 0; i < mean.length; i++) {
      const mine = difference[i]!, theirs = mean[i]!;
      difference[i] = Object.is(mine, theirs) ? 0 : (mine - theirs) * small;
    }
    yield* allReduce(difference);
    for (let i = 0; i < mean.length; i++) mean[i]! += difference[i]! / (small * size);
    // What the ranks agree on stays as it is, be it infinite: then there is no difference.
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

/** A mean is not finite: the ranks tell one another whose numbers are not. */
function* refuseMean(variables: readonly Variable[], bucket: Bucket, difference: Float32Array): Exchange {
  const own = bucket.gather(variables), message = new Uint8Array(4);
  for (let i = 0; i < own.length; i++) if (Number.isFinite(difference[i])) own[i] = 0; // on these the ranks agree
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

/** Refuses weights that differ among ranks in number, type or shape, or whose type cannot be sent. */
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
  const size = variables.reduce((size, variable) => size + bytesOf(variable).length, 0), mine = new Uint8Array(size);
  let at = 0;
  for (const variable of variables) {
    const bytes = bytesOf(variable);
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
    const { length } = bytesOf(variable), { shape, dtype } = variable;
    // A copy of its own: on the cpu backend the variable shares the memory it is made from.
    const { buffer } = mine.slice(at, at += length);
    const values = dtype === "float32"
      ? new Float32Array(buffer)
      : dtype === "int32"
      ? new Int32Array(buffer)
      : new Uint8Array(buffer);
    tf.tidy(() => variable.assign(tf.tensor(values, shape, dtype)));
  }
}

function bytesOf(tensor: Tensor): Uint8Array {
  const { dtype } = tensor;
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
    throw new TypeError(`Cannot read weight ${tensor.id}: it is ${dtype}, expected float32, int32 or bool`);
  }
  const { buffer, byteOffset, byteLength } = tensor.dataSync();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function isModel(weights: Weights): weights is LayersModel {
  return "layers" in weights;
}

/** The variables behind a model's weights. */
export function variablesOf(
  weights: Weights,
  of: readonly { read(): Tensor }[] = isModel(weights) ? weights.weights : [],
): readonly Variable[] {
  return isModel(weights) ? of.map((weight) => weight.read() as Variable) : weights;
}
