/** A model's weights among ranks: are they equal, and making them so. @module */

import * as tf from "../dependencies/tfjs.ts";
import { allReduce, broadcast, type Exchange } from "../transport/round.ts";
import { Bucket, layoutOf } from "./bucket.ts";
import { digest } from "./digest.ts";
import { type Group, runOn } from "./group.ts";
import type { LayersModel, Tensor, Variable } from "./tfjs.ts";

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
  const sum = digest();
  for (const variable of variablesOf(weights)) {
    sum.text(`${variable.dtype}[${variable.shape}]`).bytes(bytesOf(variable));
  }
  return sum.hex();
}

/**
 * All weights of a model (or variables) := those of `root`, frozen ones and BatchNorm's moving averages included, which
 * are not gradients and which the optimizer therefore never sees. All ranks must call it. One broadcast of the weights.
 *
 * @throws {RangeError} if the root's weights have another size
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
  const { root = 0 } = options;
  if (!(Number.isInteger(root) && 0 <= root && root < group.size)) {
    throw new RangeError(`Cannot broadcast the state: root is ${root}, expected a rank below ${group.size}`);
  }
  return runOn(broadcastVariables(variablesOf(weights), root, group.rank), group);
}

/**
 * The weights that are not trained (or the variables given) := their mean over ranks: BatchNorm's moving averages then
 * speak for the data of all ranks. What is equal on all ranks stays as it is to the last bit; weights that are not
 * float32 become rank 0's. All ranks must call it. One broadcast and one all-reduce of these weights.
 *
 * @throws {RangeError} if a rank's weights have another size
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
  const variables = isModel(weights) ? variablesOf(weights, weights.nonTrainableWeights) : variablesOf(weights);
  return runOn(averageVariables(variables, group.rank, group.size), group);
}

function* averageVariables(variables: readonly Variable[], rank: number, size: number): Exchange {
  const floats = variables.filter(({ dtype }) => dtype === "float32"), bucket = new Bucket(layoutOf(floats));
  const difference = bucket.gather(floats).slice();
  yield* broadcastVariables(variables, 0, rank);
  // The mean as rank 0's value plus the mean difference from it: exact where all ranks agree.
  const mean = bucket.gather(floats);
  for (let i = 0; i < mean.length; i++) difference[i]! -= mean[i]!;
  yield* allReduce(difference);
  for (let i = 0; i < mean.length; i++) mean[i]! += difference[i]! / size;
  floats.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i))));
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
      `Cannot take over the state of rank ${root}: it has ${theirs.length} bytes, rank ${rank} has ${size}`,
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
