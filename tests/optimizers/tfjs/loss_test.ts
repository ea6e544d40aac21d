import { assert, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { requireLoss, scalarLoss } from "../../../optimizers/tfjs/loss.ts";

await tf.setBackend("cpu");

Deno.test("a loss is a function, and what it returns a scalar tensor", () => {
  const loss = () => tf.scalar(1), v = tf.variable(tf.scalar(1)), scalar = tf.scalar(2);
  requireLoss("go", loss, undefined), requireLoss("go", loss, null), requireLoss("go", loss, [v]);
  assert(scalarLoss("go", scalar) === scalar);
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1], units: 1 })] });
  const lists: [list: unknown, says: string][] = [
    [v, "[variable]"],
    [model, "none is needed to train all"],
    [[], "the array of variables to train is empty"],
    [[v, 7], "variable 1 to train is 7"],
    [model.trainableWeights, "model.trainableWeights.map((weight) => weight.read())"],
  ];
  for (const [list, says] of lists) assertThrows(() => requireLoss("go", loss, list), TypeError, says);
  assertThrows(() => requireLoss("go", scalar, undefined), TypeError, "Cannot go: the loss is a");
  const values: [value: unknown, says: string][] = [
    [tf.zeros([2]), "the loss has the shape [2], expected a scalar: its mean()"],
    [Promise.resolve(scalar), "the loss is a Promise"],
    [1, "without dataSync()"],
    [undefined, "does the function return it?"],
  ];
  for (const [value, says] of values) assertThrows(() => scalarLoss("go", value), TypeError, says);
});
