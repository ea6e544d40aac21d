/** tfjs's variables, and the gradients that belong to them. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import type { NamedTensorMap, Tensor, Variable } from "./tfjs.ts";

/** A gradient and the name of its variable, as tfjs passes them. */
export interface NamedGradient {
  /** The variable's name in tfjs's registry. */
  readonly name: string;
  /** The gradient, or null or undefined where the loss does not depend on the variable. */
  readonly tensor: Tensor | null | undefined;
}

/** The variable of that name in tfjs's registry. */
export function variable(name: string): Variable {
  return tf.engine().registeredVariables[name]!;
}

/**
 * The variables that gradients belong to.
 *
 * @throws {TypeError} if a gradient names no variable
 */
export function variablesFor(gradients: readonly NamedGradient[]): readonly Variable[] {
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

/** A variable's type as messages put it before the shape: nothing for float32, the only type that can be trained. */
export function otherType({ dtype }: Variable): string {
  return dtype === "float32" ? "" : `${dtype} `;
}

/** @throws {TypeError} unless all variables are alive and float32 */
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

/** @throws {Error} unless the variables of the first step are all still alive */
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

/** Gradients as a list, from either form in which tfjs passes them. */
export function toList(gradients: NamedTensorMap | readonly NamedGradient[]): readonly NamedGradient[] {
  if (Array.isArray(gradients)) return gradients;
  return Object.entries(gradients as NamedTensorMap).map(([name, tensor]) => ({ name, tensor }));
}

/**
 * The gradients in the order of the variables of the first step, whose names these are. A variable that is not in the
 * list has no gradient.
 *
 * @throws {Error} if the list has a variable that was not among those of the first step
 */
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

/**
 * Whether two names may be those of one variable in a model that was made twice. tfjs numbers layers and variables in
 * the order in which a process makes them ("dense_Dense3/kernel_1"), so the numbers in names say nothing.
 */
export function sameName(a: string, b: string): boolean {
  return unnumbered(a) === unnumbered(b);
}

/** A variable's name without the numbers that tfjs gives: "dense_Dense/kernel" for "dense_Dense3/kernel_1". */
export function unnumbered(name: string): string {
  return name.replaceAll(/_?\d+/g, "");
}
