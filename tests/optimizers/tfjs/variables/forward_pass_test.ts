import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { forwardPass } from "../../../../optimizers/tfjs/variables/forward_pass.ts";

await tf.setBackend("cpu");

Deno.test("a forward pass: what it assigns to can be taken back, and is, if it throws; slots are not looked at", () => {
  const [average, other] = [1, 2].map((value) => tf.variable(tf.scalar(value), false)) as [tf.Variable, tf.Variable];
  const adam = tf.train.adam(0.1), slot = (adam as unknown as { accBeta1: tf.Variable }).accBeta1;
  const pass = () => (average.assign(tf.scalar(5)), slot.assign(tf.scalar(6)), "done");
  const { numTensors } = tf.memory(), { result, before } = forwardPass(adam, pass);
  assertEquals([result, before.variables], ["done", [average]]);
  before.restore();
  assertEquals([average, other, slot].map((variable) => variable.dataSync()[0]), [1, 2, 6]);
  before[Symbol.dispose]();
  const fail = () => {
    average.assign(tf.scalar(7));
    throw new Error("mine");
  };
  assertThrows(() => forwardPass(adam, fail), Error, "mine");
  assertEquals(average.dataSync()[0], 1);
  assertEquals(tf.memory().numTensors, numTensors + 3); // the scalars that were assigned
});
