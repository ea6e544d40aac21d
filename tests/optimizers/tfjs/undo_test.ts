import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { Undo } from "../../../optimizers/tfjs/undo.ts";
import { Snapshot } from "../../../optimizers/tfjs/variables/snapshot.ts";

await tf.setBackend("cpu");

Deno.test("undo: weights, slots, the state and what forward passes wrote are again as they were", () => {
  const w = tf.variable(tf.tensor1d([1, 2])), mean = tf.variable(tf.scalar(3), false), adam = tf.train.adam(0.1);
  const state = { local: { error: Float32Array.of(4) }, shared: { count: Float64Array.of(5) } }, undo = new Undo();
  const step = () => adam.minimize(() => w.square().sum().asScalar(), false, [w]);
  const seen = () => [w, mean].map((variable) => [...variable.dataSync()]);
  for (const taken of [0, 1]) {
    const before = seen(), slots = adam.iterations, forward = [new Snapshot([mean])];
    mean.assign(tf.scalar(30 + taken));
    undo.remember(taken, adam, [w], state, forward);
    step(), state.local.error[0] = 40, state.shared.count[0] = 50;
    assertEquals(undo.step, taken);
    assertEquals(undo.back(), taken);
    assertEquals([seen(), adam.iterations, undo.step], [before, slots, undefined]);
    assertEquals([state.local.error[0], state.shared.count[0]], [4, 5]);
    // The same step once more: the slots that the step taken back had made are gone.
    step();
    assertEquals((adam as unknown as { accumulatedFirstMoment: unknown[] }).accumulatedFirstMoment.length, 1);
  }
  // The copy is held until it is dropped, and of tensors only those of one moment.
  const { numTensors } = tf.memory();
  for (const taken of [2, 3]) undo.remember(taken, adam, [w], state, []);
  undo.drop();
  assertEquals([tf.memory().numTensors, undo.step], [numTensors, undefined]);
});
