/** What a method has made of the gradients: whether it is finite, and its way into the weights. @module */

import * as tf from "../../dependencies/tfjs.ts";
import type { Method, State } from "../methods/method.ts";
import { allFinite } from "../methods/parts/finite.ts";
import { type Objection, refusal } from "./agreement/vote.ts";
import type { Bucket } from "./variables/bucket.ts";
import { numbersOf } from "./variables/numbers.ts";
import type { NamedTensorMap, Optimizer } from "./variables/tfjs.ts";
import { type NamedGradient, variable } from "./variables/variables.ts";

/**
 * Applies what the method has left in the bucket. A variable that no rank has a gradient for, and for which the method
 * delivers nothing but zeros, is left alone, as tfjs does.
 *
 * @param present for each variable whether any rank has a gradient for it
 */
export function applyUpdate(
  inner: Optimizer,
  { yields = "gradient" }: Method,
  bucket: Bucket,
  present: readonly boolean[],
): void {
  const update = bucket.layout.names.map((name, i) => ({
    name,
    tensor: yields === "parameters" || present[i] || !bucket.isZero(i) ? bucket.tensor(i) : undefined,
  }));
  try {
    if (yields === "step") subtract(update);
    else if (yields === "parameters") replace(update);
    else inner.applyGradients(update as unknown as NamedTensorMap);
  } finally {
    for (const { tensor } of update) tensor?.dispose();
  }
}

/** Subtracts the step of a method that has an update of its own. */
function subtract(steps: readonly NamedGradient[]): void {
  tf.tidy(() => {
    for (const { name, tensor } of steps) {
      if (tensor) variable(name).assign(tf.sub(variable(name), tensor));
    }
  });
}

/** Assigns the parameters of a method that owns them. */
function replace(values: readonly NamedGradient[]): void {
  tf.tidy(() => {
    for (const { name, tensor } of values) {
      // A product with one, because on the cpu backend the variable would share the bucket's memory from now on.
      if (tensor) variable(name).assign(tf.mul(tensor, 1));
    }
  });
}

/** The objection to an update, or to the method's state after it, that is not finite; undefined if both are finite. */
export function nonFiniteUpdate(
  { name, yields = "gradient" }: Method,
  bucket: Bucket,
  state: State,
): Objection | undefined {
  const i = bucket.firstNonFinite();
  if (i >= 0) return { kind: "found", what: `the ${yields} of variable ${i} (${bucket.layout.names[i]}) by ${name}` };
  const vector = nonFiniteVector(state);
  return vector === undefined ? undefined : { kind: "found", what: `${vector}, which ${name} keeps,` };
}

/** Says which numbers in the bucket are not finite after the method has thrown; undefined if all are finite. */
export function nonFiniteGradient({ name }: Method, bucket: Bucket): string | undefined {
  const i = bucket.firstNonFinite();
  return i < 0 ? undefined : `what ${name} makes of the gradient of variable ${i} (${bucket.layout.names[i]})`;
}

/** The name of the first vector of a method's state that is not finite; undefined if all are finite. */
function nonFiniteVector({ local, shared }: State): string | undefined {
  for (const vectors of [local, shared]) {
    for (const [name, vector] of Object.entries(vectors)) {
      if (vector instanceof Float32Array ? !allFinite(vector) : !vector.every(Number.isFinite)) return name;
    }
  }
  return undefined;
}

/**
 * Has the inner optimizer apply gradients as they are, if all of them are finite: the step of a rank that is alone,
 * with a method that changes nothing for one rank.
 *
 * @returns whether the gradients were applied: false if one is not finite and the step is to be skipped
 * @throws {RangeError} if one is not finite and the step is to be refused
 */
export function applyAlone(
  inner: Optimizer,
  gradients: readonly NamedGradient[],
  step: number,
  nonFinite: "throw" | "skip",
): boolean {
  const bad = gradients.findIndex(({ tensor }) => tensor && !allFinite(numbersOf(tensor)));
  if (bad >= 0 && nonFinite === "throw") {
    throw refusal(step, [{ kind: "brought", what: `the gradient of variable ${bad} (${gradients[bad]!.name})` }], "");
  }
  if (bad < 0) inner.applyGradients(gradients as unknown as NamedTensorMap);
  return bad < 0;
}
