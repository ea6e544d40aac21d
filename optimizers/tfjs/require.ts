/** Checks of arguments that many functions take: a group, an optimizer, a model's weights. @module */

import * as tf from "../../dependencies/tfjs.ts";
import { isNamed, show } from "../../options.ts";

/** Makes the error "Cannot <doing>: <why>"; where the caller's caller says what cannot be done, `doing` is empty. */
const refusal = (doing: string) => (why: string) => new TypeError(doing === "" ? why : `Cannot ${doing}: ${why}`);

/** @throws {TypeError} unless it is a group, blocking or awaited; the message says what to write where something near to one was given */
export function requireGroup(doing: string, group: unknown): void {
  const refuse = refusal(doing), { perform, then, send } = Object(group) as Record<string, unknown>;
  if (typeof perform === "function") return;
  if (typeof then === "function") throw refuse("the group is a Promise: await it, as in group: await connect()");
  if (typeof group === "function") {
    throw refuse(`group is ${show(group)}, expected what it returns: call it, await ${group.name || "connect"}()`);
  }
  if (typeof send === "function") {
    throw refuse("group is a transport, expected the group over it: collective(transport)");
  }
  throw refuse(`group is ${show(group)}, expected one such as connect() gives: group = await connect()`);
}

/** Whether it is a model of layers. */
function isModel(value: unknown): boolean {
  return typeof value === "object" && value !== null && "layers" in value && "weights" in value;
}

/** @throws {TypeError} unless it is a model or a list of variables; the message says what to write instead */
export function requireWeights(doing: string, weights: unknown): void {
  const refuse = refusal(doing), such = "expected the model or an array of variables";
  if (isModel(weights)) return;
  if (typeof (Object(weights) as { perform?: unknown }).perform === "function") {
    throw refuse(`weights is a group, ${such}: the group comes after it`);
  }
  if (weights instanceof tf.Variable) throw refuse(`weights is a variable, ${such}: [variable]`);
  if (!Array.isArray(weights)) throw refuse(`weights is ${show(weights)}, ${such}`);
  const odd = weights.findIndex((weight) => !(weight instanceof tf.Variable));
  if (odd < 0) return;
  const { read } = Object(weights[odd]) as Record<string, unknown>;
  // A LayerVariable, as in model.weights: it holds the variable and is none.
  if (typeof read === "function") {
    throw refuse(`weights holds a model's own wrappers of its variables, ${such}: the model itself`);
  }
  throw refuse(`weight ${odd} is ${show(weights[odd])}, ${such}`);
}

/** @throws {TypeError} unless it is a DistributedOptimizer */
export function requireOptimizer(doing: string, optimizer: unknown): void {
  const refuse = refusal(doing), { checkState, applyGradients } = Object(optimizer) as Record<string, unknown>;
  // tfjs's optimizers take anything for an instance that has their methods.
  if (typeof checkState === "function") return;
  const around = typeof applyGradients === "function" ? ": the one that wraps it" : "";
  throw refuse(`optimizer is ${show(optimizer)}, expected a DistributedOptimizer${around}`);
}

/** @throws {TypeError} unless it is a path: a folder's options are often given before it */
export function requirePath(doing: string, call: string, folder: unknown): asserts folder is string | URL {
  if (typeof folder === "string" || folder instanceof URL) return;
  throw new TypeError(
    `Cannot ${doing}: the folder is ${
      show(folder)
    }, expected its path, as in ${call}("checkpoints", { group, optimizer, weights })`,
  );
}

/** @throws {TypeError} unless f can be a loss and list, where it is given, a list of variables to train */
export function requireLoss(doing: string, f: unknown, list: unknown): void {
  const refuse = refusal(doing), such = "expected an array of variables";
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

/** The loss that a function returned. @throws {TypeError} unless it is a scalar */
export function scalarLoss(doing: string, loss: unknown): tf.Scalar {
  const refuse = refusal(doing);
  if (loss instanceof tf.Tensor) {
    if (loss.rank === 0) return loss as tf.Scalar;
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

/** What to write instead of an inner optimizer that is none. */
export function innerWanted(inner: unknown): string {
  if (typeof inner === "string" && Object.keys(tf.train).includes(inner.toLowerCase())) {
    return `expected a tf.Optimizer: tf.train.${inner.toLowerCase()}(…)`;
  }
  const such = "expected a tf.Optimizer such as tf.train.adam()";
  if (typeof inner === "function") return `${such}: call it`;
  if (isModel(inner)) return `${such}; the model's is given to model.compile({ optimizer })`;
  if (typeof inner === "object" && inner !== null && (isNamed(inner) || "method" in inner || "group" in inner)) {
    return `${such}, and the options after it`;
  }
  return such;
}
