import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, topK } from "../../../compressors/mod.ts";
import { average, DistributedOptimizer, errorFeedback, weightsDigest } from "../../../optimizers/mod.ts";
import { TransportError } from "../../../transport/mod.ts";
import { data, echo, models, perceptron, together, variables } from "./training.ts";

await tf.setBackend("cpu");

Deno.test("no tensor is left after 1 000 steps", () => {
  const { xs, ys } = data(4), model = perceptron();
  const optimizer = new DistributedOptimizer(tf.train.adam(0.01), { method: average(), group: echo(2) });
  const list = variables(model);
  const step = () =>
    optimizer.minimize(
      () => tf.losses.meanSquaredError(ys, model.predict(xs) as tf.Tensor).asScalar(),
      false,
      list,
    );
  // The first step makes the inner optimizer's slots; the second is the first that could have to take them back.
  step(), step();
  const { numTensors, numDataBuffers } = tf.memory();
  for (let i = 0; i < 1000; i++) step();
  assertEquals([tf.memory().numTensors, tf.memory().numDataBuffers], [numTensors, numDataBuffers]);
});

Deno.test("a NaN on one rank stops all in the same step, or makes all skip it", async () => {
  for (const nonFinite of ["throw", "skip"] as const) {
    const ranks = together(2).map((group, rank) => {
      const w = tf.variable(tf.tensor1d([1, 2])), scale = tf.variable(tf.scalar(1));
      const method = errorFeedback(topK({ k: 1 })); // has a memory that a NaN would stay in for ever
      const optimizer = new DistributedOptimizer(tf.train.momentum(0.1, 0.9), { method, group, nonFinite });
      const step = (factor: number) =>
        optimizer.minimizeAsync(() => w.mul(scale).sum().mul(factor).asScalar(), false, [scale, w]);
      return { rank, w, optimizer, step };
    });
    await Promise.all(ranks.map(({ step }) => step(1)));
    const state = () =>
      ranks.map(({ w, optimizer }) => {
        const { local, shared, inner } = optimizer.getState();
        return structuredClone([[...w.dataSync()], local, shared, inner]);
      });
    const before = state();
    assert(ranks[1]!.optimizer.getState().local["error"]!.some((value) => value !== 0));
    const results = await Promise.allSettled(ranks.map(({ rank, step }) => step(rank === 1 ? NaN : 1)));
    assertEquals(state(), before);
    for (const result of results) {
      assertEquals(result.status, nonFinite === "throw" ? "rejected" : "fulfilled");
      if (result.status === "rejected") {
        assert(result.reason instanceof RangeError);
        assert(/step 1: the gradient of variable 0 .* on rank 1 is not finite/.test(result.reason.message));
      }
    }
    await Promise.all(ranks.map(({ step }) => step(1)));
    assertEquals([...ranks[0]!.w.dataSync()], [...ranks[1]!.w.dataSync()]);
    assert(ranks.every(({ w }) => w.dataSync().every(Number.isFinite)));
    assertEquals(ranks.map(({ optimizer }) => optimizer.iterations), nonFinite === "throw" ? [2, 2] : [3, 3]);
  }
});

Deno.test("a variable without a gradient on one rank, or on all", async () => {
  const ranks = together(2).map((group, rank) => {
    const [a, b, c] = [0, 1, 2].map((i) => tf.variable(tf.scalar(1), i < 2)) as [
      tf.Variable,
      tf.Variable,
      tf.Variable,
    ];
    const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: average(), group });
    const f = () => (rank === 0 ? a.add(b) : a).asScalar();
    return { variables: [a, b, c], step: () => optimizer.minimizeAsync(f, false, [a, b, c]) };
  });
  await Promise.all(ranks.map(({ step }) => step()));
  for (const { variables } of ranks) assertEquals(variables.map((v) => v.dataSync()[0]), [0, 0.5, 1]);
});

Deno.test("a loss that throws leaves the weights and averages as they were", () => {
  const model = models["batch normalisation"]!(), { xs } = data(8);
  const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: average(), group: echo(2) });
  const step = (fail: boolean) => () => {
    const loss = (model.apply(xs, { training: true }) as tf.Tensor).sum().asScalar();
    if (fail) throw new Error("mine");
    return loss;
  };
  optimizer.minimize(step(false), false, variables(model));
  const before = weightsDigest(model);
  assertThrows(() => optimizer.minimize(step(true), false, variables(model)), Error, "mine");
  assertEquals(weightsDigest(model), before);
});

Deno.test("a lost rank: the others throw, and everything is as before the step", async () => {
  const { xs, ys } = data(8);
  const groups = together(2),
    ranks = groups.map((group) => {
      const model = models["batch normalisation"]!();
      const optimizer = new DistributedOptimizer(tf.train.adam(0.1), { method: errorFeedback(identity()), group });
      const loss = () => tf.losses.meanSquaredError(ys, model.apply(xs, { training: true }) as tf.Tensor).asScalar();
      return { model, optimizer, step: () => optimizer.minimizeAsync(loss, false, variables(model)) };
    });
  const state = () => {
    const { model, optimizer } = ranks[0]!;
    return [weightsDigest(model), structuredClone(optimizer.getState()), tf.memory().numTensors];
  };
  await Promise.all(ranks.map(({ step }) => step()));
  await Promise.all(ranks.map(({ step }) => step()));
  const before = state();
  const [failed] = await Promise.allSettled([
    ranks[0]!.step(),
    // Gone after the opening, in the middle of the step.
    groups[1]!.perform({ op: "allGather", message: new Uint8Array(0) }).finally(() =>
      groups[1]![Symbol.asyncDispose]()
    ),
  ]);
  assert(failed.status === "rejected" && failed.reason instanceof Error);
  assertEquals(state(), before);
  await assertRejects(() => ranks[0]!.step(), TransportError);
  assertEquals(state(), before);
});

Deno.test("ranks at different steps are told so", async () => {
  const ranks = together(2).map((group) => {
    const w = tf.variable(tf.scalar(1));
    const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: average(), group });
    return { optimizer, step: () => optimizer.minimizeAsync(() => w.square().asScalar(), false, [w]) };
  });
  await Promise.all(ranks.map(({ step }) => step()));
  await ranks[1]!.optimizer.setWeights([{ name: "iter", tensor: tf.scalar(7, "int32") }]);
  const results = await Promise.allSettled(ranks.map(({ step }) => step()));
  assertEquals(results.map((result) => (result as PromiseRejectedResult).reason.message.split(".")[0]), [
    "Cannot take step 1: rank 1 is at step 7",
    "Cannot take step 7: rank 0 is at step 1",
  ]);
});
