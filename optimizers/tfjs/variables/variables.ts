/** tfjs's variables and the gradients that go with them. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import { allGather, broadcast, type Exchange } from "../../../transport/round.ts";
import type { Bucket } from "./bucket.ts";
import { digest } from "../../files/digest.ts";
import type { NamedTensorMap, Tensor, Variable } from "./tfjs.ts";

/** A gradient and the name of its variable, as tfjs passes them: the tensor is missing where there is no gradient. */
export interface NamedGradient {
  /** The variable's name in tfjs's registry. */
  readonly name: string;
  /** Its gradient. */
  readonly tensor: Tensor | null | undefined;
}

/** The variable of that name in tfjs's registry. */
export function variable(name: string): Variable {
  return tf.engine().registeredVariables[name]!;
}

/**
 * The variables that gradients belong to.
 *
 * @throws {TypeError} if there is none of a name
 */
export function named(gradients: readonly NamedGradient[]): readonly Variable[] {
  return gradients.map((gradient, i) => {
    const { name } = Object(gradient) as Partial<NamedGradient>,
      found = name === undefined ? undefined : variable(name);
    if (found !== undefined) return found;
    const what = typeof name === "string" ? `there is no variable ${show(name)}` : `number ${i} is ${show(gradient)}`;
    const how = gradients.some((gradient) => gradient?.name === "grads") ? ": applyGradients(grads)" : "";
    throw new TypeError(
      `Cannot apply gradients: ${what}, expected gradients by the names of live variables, such as computeGradients ` +
        `gives as its grads${how}`,
    );
  });
}

/** What stands before a variable's shape in messages: nothing for float32, which is what can be trained. */
export function otherType({ dtype }: Variable): string {
  return dtype === "float32" ? "" : `${dtype} `;
}

/** @throws {TypeError} unless all variables are there and float32 */
export function checkTrainable(variables: readonly (Variable | undefined)[]): void {
  variables.forEach((variable, i) => {
    if (variable === undefined || variable.isDisposed) {
      throw new TypeError(`Cannot train variable ${i}: it has been disposed of, expected a live one`);
    }
    if (variable.dtype !== "float32") {
      throw new TypeError(`Cannot train variable ${i} (${variable.name}): it is ${variable.dtype}, expected float32`);
    }
  });
}

/** @throws {Error} unless the variables of the first step are all still there */
export function requireLive(step: number, names: readonly string[]): void {
  const gone = names.findIndex((name) => variable(name) === undefined);
  if (gone < 0) return;
  throw new Error(
    `Cannot take step ${step}: variable ${gone} (${names[gone]}) has been disposed of. ` +
      "Make a new DistributedOptimizer when the variables to train change",
  );
}

/** All variables that are not trained. */
export function notTrained(): Variable[] {
  return Object.values(tf.engine().registeredVariables).filter(({ trainable }) => !trainable);
}

/** Gradients as a list, in either form in which tfjs passes them. */
export function toList(gradients: NamedTensorMap | readonly NamedGradient[]): readonly NamedGradient[] {
  if (Array.isArray(gradients)) return gradients;
  return Object.entries(gradients as NamedTensorMap).map(([name, tensor]) => ({ name, tensor }));
}

/** The tensors in the order of the first step; a variable that is not in the list has none. */
export function inOrder(given: readonly NamedGradient[], names: readonly string[]): (Tensor | null | undefined)[] {
  if (given.length === names.length && given.every(({ name }, i) => name === names[i])) {
    return given.map(({ tensor }) => tensor);
  }
  const unknown = given.find(({ name }) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `Cannot apply gradients: variable ${unknown.name} was not among the ${names.length} of the first step. ` +
        "Make a new DistributedOptimizer when the variables to train change",
    );
  }
  const tensors = new Map(given.map(({ name, tensor }) => [name, tensor]));
  return names.map((name) => tensors.get(name));
}

/** variables := rank 0's. Where digests tell that they are equal already, that is all that is sent. */
export function* takeOver(bucket: Bucket, variables: readonly Variable[], rank: number): Exchange {
  const { buffer, byteOffset, byteLength } = bucket.gather(variables);
  const mine = new Uint8Array(buffer, byteOffset, byteLength);
  const digests = yield* allGather(new TextEncoder().encode(digest().bytes(mine).hex()));
  if (digests.every((other) => other.every((byte, i) => byte === digests[0]![i]))) return;
  const weights = yield* broadcast(0, mine);
  if (rank === 0) return;
  // A copy, because on the cpu backend the variables share its memory from now on.
  const copy = new Float32Array(weights.slice().buffer);
  variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, copy))));
}

/** The update of methods that have their own: what was agreed on is subtracted as it is. */
export function subtract(steps: readonly NamedGradient[]): void {
  tf.tidy(() => {
    for (const { name, tensor } of steps) {
      if (tensor) variable(name).assign(tf.sub(variable(name), tensor));
    }
  });
}

/** What methods that own the parameters have made of them. */
export function replace(values: readonly NamedGradient[]): void {
  tf.tidy(() => {
    for (const { name, tensor } of values) {
      // A product with one, because on the cpu backend the variable would share the bucket's memory from now on.
      if (tensor) variable(name).assign(tf.mul(tensor, 1));
    }
  });
}
