import { assertEquals, assertNotEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { weightsDigest } from "../../../../optimizers/mod.ts";

await tf.setBackend("cpu");

Deno.test("weightsDigest tells types and shapes apart where the bytes are the same", () => {
  const of = (tensor: tf.Tensor) => weightsDigest([tf.variable(tensor)]);
  const digests = [of(tf.zeros([4])), of(tf.zeros([2, 2])), of(tf.zeros([4], "int32"))];
  assertEquals(new Set(digests).size, 3);
});

Deno.test("weightsDigest tells values, shapes and order apart", () => {
  const variables = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([3]))];
  const same = variables.map((variable) => tf.variable(variable.clone()));
  assertEquals(weightsDigest(variables), weightsDigest(same));
  assertNotEquals(weightsDigest(variables), weightsDigest([...same].reverse()));
  assertNotEquals(weightsDigest(variables), weightsDigest([tf.variable(tf.tensor1d([1, 2, 3]))]));
  same[0]!.assign(tf.tensor1d([1, 2.0000002384185791]));
  assertNotEquals(weightsDigest(variables), weightsDigest(same));
  const model = tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [2] })] });
  const before = weightsDigest(model);
  (model.weights[3]!.read() as tf.Variable).assign(tf.tensor1d([1, 5]));
  assertNotEquals(weightsDigest(model), before);
});
