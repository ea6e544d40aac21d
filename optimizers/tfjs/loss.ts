/** The loss of a step, and the refusal of what is none. @module */

import * as tf from "../../dependencies/tfjs.ts";
import { show } from "../../options.ts";
import type { Scalar, Variable } from "./variables/tfjs.ts";
import { isModel } from "./variables/weights.ts";

/** The loss of a step. */
export interface Loss {
  /** Evaluates the loss on the step's batch. */
  readonly f: () => Scalar;
  /** The variables that it is differentiated by. Undefined: all variables that are trained. */
  readonly variables: readonly Variable[] | undefined;
}

/** @throws {TypeError} unless `f` can be a loss and `list`, where it is given, is a list of variables to train */
export function requireLoss(doing: string, f: unknown, list: unknown): void {
  const such = "expected an array of variables", refuse = refusal(doing);
  if (typeof f !== "function") {
    throw refuse(`the loss is ${show(f)}, expected a function that computes it: () => loss`);
  }
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    const how = list instanceof tf.Variable ? ": [variable]" : isModel(list) ? ": none is needed to train all" : "";
    throw refuse(`the variables to train are ${show(list)}, ${such}${how}`);
  }
  if (list.length === 0) throw refuse(`the array of variables to train is empty, ${such}, or none to train all`);
  const odd = list.findIndex((variable) => !(variable instanceof tf.Variable));
  if (odd < 0) return;
  const { read } = Object(list[odd]) as Record<string, unknown>;
  const how = typeof read === "function" ? ": model.trainableWeights.map((weight) => weight.read())" : "";
  throw refuse(`variable ${odd} to train is ${show(list[odd])}, ${such}${how}`);
}

/**
 * The value that a loss function has returned, if it is a scalar.
 *
 * @throws {TypeError} if it is not
 */
export function scalarLoss(doing: string, loss: unknown): Scalar {
  const refuse = refusal(doing);
  if (loss instanceof tf.Tensor) {
    if (loss.rank === 0) return loss as Scalar;
    throw refuse(`the loss has the shape [${loss.shape}], expected a scalar: its mean(), for instance`);
  }
  if (typeof (loss as { then?: unknown } | undefined)?.then === "function") {
    throw refuse(
      "the loss is a Promise, expected a scalar: tfjs needs a function that is not async, and nothing awaited",
    );
  }
  const how = typeof loss === "number" ? ": without dataSync(), so that tfjs can take its gradient" : "";
  const none = loss === undefined ? ": does the function return it?" : "";
  throw refuse(`the loss is ${show(loss)}, expected a scalar tensor${how}${none}`);
}

function refusal(doing: string): (why: string) => TypeError {
  return (why) => new TypeError(`Cannot ${doing}: ${why}`);
}
