import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { DistributedOptimizer, type Method } from "../../../optimizers/mod.ts";
import { data, echo, models, probe, weights } from "./training.ts";

await tf.setBackend("cpu");

Deno.test("a method that asks for the gradient at another point gets it, and one that has its own update applies it", () => {
  const w = tf.variable(tf.tensor1d([1, 2, 3]));
  const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: probe, group: echo(1) });
  optimizer.minimize(() => w.square().sum().asScalar(), false, [w]);
  assertEquals([...w.dataSync()], [1 - 20, 2 - 40, 3 - 60]);
  assertThrows(() => optimizer.applyGradients([{ name: w.name, tensor: w }]), TypeError, "Call minimize");
});

Deno.test("the gradient at another point leaves no tensor behind, nor a trace in BatchNorm's averages", async () => {
  const { xs, ys } = data(8), once = models["batch normalisation"]!(), twice = models["batch normalisation"]!();
  twice.setWeights(once.getWeights());
  const still: Method = {
    ...probe,
    *reduce(gradient, _state, { parameters }) {
      yield { op: "gradient", at: parameters!.map((value) => value + 1), into: gradient };
      gradient.fill(0);
    },
  };
  const loss = "categoricalCrossentropy", metrics = ["accuracy"];
  once.compile({ optimizer: tf.train.sgd(0), loss, metrics });
  twice.compile({
    optimizer: new DistributedOptimizer(tf.train.sgd(0), { method: still, group: echo(2) }),
    loss,
    metrics,
  });
  const options = { epochs: 3, batchSize: 4, shuffle: false, verbose: 0 } as const;
  await once.fit(xs, ys, options);
  const tensors: number[] = [];
  for (let i = 0; i < 3; i++) {
    if (i === 0) await twice.fit(xs, ys, options);
    else {await twice.fitDataset(tf.data.zip({ xs: tf.data.array([xs]), ys: tf.data.array([ys]) }), {
        epochs: 3,
        verbose: 0,
      });}
    if (i === 0) assertEquals(weights(twice), weights(once));
    tensors.push(tf.memory().numTensors);
  }
  assertEquals(tensors[2], tensors[1]);
});

Deno.test("a gradient at another point that is not finite is refused by name, and the weights are as before", () => {
  const w = tf.variable(tf.tensor1d([1, 2])), v = tf.variable(tf.scalar(1));
  const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: probe, group: echo(1) });
  // Finite at 1 and 2, not at 10 and 20.
  const loss = () => v.add(w.mul(4).exp().mul(w.mul(4).exp()).sum()).asScalar();
  assertThrows(() => optimizer.minimize(loss, false, [v, w]), RangeError, `variable 1 (${w.name}) that probe asks for`);
  assertEquals([...w.dataSync(), ...v.dataSync()], [1, 2, 1]);
});
