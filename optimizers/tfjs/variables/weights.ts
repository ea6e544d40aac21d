/** A model's weights as its variables. @module */

import { bytesOf } from "../../../bytes.ts";
import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import { digest } from "../../files/digest.ts";
import type { LayersModel, Tensor, Variable } from "./tfjs.ts";

/** A model, or the variables themselves. */
export type Weights = LayersModel | readonly Variable[];

/** Whether a value is a model of layers. */
export function isModel(value: unknown): value is LayersModel {
  return typeof value === "object" && value !== null && "layers" in value && "weights" in value;
}

/**
 * The variables behind a model's weights, or the variables that were given.
 *
 * @param of which of the model's weights. Default: all of them
 */
export function variablesOf(
  weights: Weights,
  of: readonly { read(): Tensor }[] = isModel(weights) ? weights.weights : [],
): readonly Variable[] {
  return isModel(weights) ? of.map((weight) => weight.read() as Variable) : weights;
}

/**
 * Refuses what is neither a model nor a list of variables, and says what to write instead.
 *
 * @param doing what cannot be done, for the message; empty where the caller's caller says it
 * @throws {TypeError}
 */
export function requireWeights(doing: string, weights: unknown): void {
  const such = "expected the model or an array of variables";
  const refuse = (why: string) => new TypeError(doing === "" ? why : `Cannot ${doing}: ${why}`);
  if (isModel(weights)) return;
  if (typeof (Object(weights) as { perform?: unknown }).perform === "function") {
    throw refuse(`weights is a group, ${such}: the group comes after it`);
  }
  if (weights instanceof tf.Variable) throw refuse(`weights is a variable, ${such}: [variable]`);
  if (!Array.isArray(weights)) throw refuse(`weights is ${show(weights)}, ${such}`);
  const odd = weights.findIndex((weight) => !(weight instanceof tf.Variable));
  if (odd < 0) return;
  const { read } = Object(weights[odd]) as Record<string, unknown>;
  // tfjs's LayerVariable, as in model.weights, holds a variable and is none.
  if (typeof read === "function") {
    throw refuse(`weights holds a model's own wrappers of its variables, ${such}: the model itself`);
  }
  throw refuse(`weight ${odd} is ${show(weights[odd])}, ${such}`);
}

/**
 * Computes a digest of a model's weights (or of variables): of their values, types and shapes, in their order. Two
 * replicas have the same digest if they are equal to the last bit; digests of others are equal with a chance of 2⁻⁶⁴.
 *
 * @returns 16 hexadecimal digits
 * @throws {TypeError} if `weights` is neither a model nor a list of variables, or holds one that is not float32, int32
 *   or bool
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
    sum.text(`${variable.dtype}[${variable.shape}]`).bytes(tensorBytes(variable));
  }
  return sum.hex();
}

/**
 * The bytes of a tensor's numbers.
 *
 * @throws {TypeError} unless the tensor is float32, int32 or bool
 */
export function tensorBytes(tensor: Tensor): Uint8Array {
  const { dtype } = tensor;
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
    throw new TypeError(`Cannot read weight ${tensor.id}: it is ${dtype}, expected float32, int32 or bool`);
  }
  return bytesOf(tensor.dataSync());
}
