import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer, type Reducer } from "../../optimizers/mod.ts";
import { type BlockingCollective, type Collective, performTogether, type WireRound } from "../../transport/mod.ts";

await tf.setBackend("cpu");

/** Awaited groups of one thread: a round is performed when all ranks have asked for one. */
function together(size: number): Collective[] {
  let waiting: { round: WireRound; resolve: (reply: readonly Uint8Array[]) => void; reject: (e: unknown) => void }[] =
    [];
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    traffic: { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 },
    perform: (round) =>
      new Promise((resolve, reject) => {
        waiting[rank] = { round, resolve, reject };
        if (waiting.filter(() => true).length < size) return;
        const all = waiting;
        waiting = [];
        try {
          performTogether(all.map(({ round }) => round)).forEach((reply, r) => all[r]!.resolve(reply));
        } catch (error) {
          for (const { reject } of all) reject(error);
        }
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));
}

/** A blocking group whose other ranks say what this one says: what a rank's own path can be tested with. */
function echo(size: number): BlockingCollective {
  return {
    rank: 0,
    size,
    traffic: { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 },
    perform: (round) => performTogether(Array.from({ length: size }, () => structuredClone(round)))[0]!,
    [Symbol.dispose]: () => {},
  };
}

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9, true),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.9),
  // tfjs subtracts epsilon below the root when centered: NaN where it exceeds the variance, so a tiny one.
  "centered rmsprop": () => tf.train.rmsprop(0.01, 0.9, 0.9, 1e-14, true),
};

function perceptron(seed = 1): tf.LayersModel {
  const kernelInitializer = (i: number) => tf.initializers.glorotNormal({ seed: seed + i });
  return tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 5, activation: "tanh", kernelInitializer: kernelInitializer(0) }),
      tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer: kernelInitializer(1) }),
    ],
  });
}

function data(rows: number, seed = 3): { xs: tf.Tensor2D; ys: tf.Tensor2D } {
  const xs = tf.randomNormal([rows, 6], 0, 1, "float32", seed) as tf.Tensor2D;
  return { xs, ys: tf.oneHot(xs.slice([0, 0], [rows, 3]).argMax(1), 3).toFloat() as tf.Tensor2D };
}

function weights(model: tf.LayersModel): number[] {
  return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}

for (const [name, inner] of Object.entries(optimizers)) {
  Deno.test(`${name} in a group of one, and among ranks that agree, is the optimizer itself, bit for bit`, async () => {
    const { xs, ys } = data(24);
    const train = async (optimizer: tf.Optimizer) => {
      const model = perceptron();
      model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
      const { history } = await model.fit(xs, ys, { epochs: 3, batchSize: 8, shuffle: false, verbose: 0 });
      return { history, weights: weights(model) };
    };
    const plain = await train(inner());
    for (const size of [1, 2]) {
      assertEquals(await train(new DistributedOptimizer(inner(), { reducer: average(), group: echo(size) })), plain);
    }
  });
}

Deno.test("ranks with a share of the batch each train as one rank with all of it", async () => {
  const size = 3, rows = 24, { xs, ys } = data(rows);
  const loss = (model: tf.LayersModel, from: number, count: number) => () =>
    tf.losses.softmaxCrossEntropy(
      ys.slice([from, 0], [count, 3]),
      model.predict(xs.slice([from, 0], [count, 6])) as tf.Tensor,
    ).asScalar();
  const variables = (model: tf.LayersModel) => model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const alone = perceptron(), adam = tf.train.adam(0.01), losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    losses.push(adam.minimize(loss(alone, 0, rows), true, variables(alone))!.dataSync()[0]!);
  }
  const models = together(size).map((group, rank) => {
    // Different weights: rank 0's count.
    const model = perceptron(1 + 100 * rank);
    return { model, rank, optimizer: new DistributedOptimizer(tf.train.adam(0.01), { reducer: average(), group }) };
  });
  const means = await Promise.all(models.map(async ({ model, optimizer, rank }) => {
    const own: number[] = [];
    for (let step = 0; step < 20; step++) {
      const f = loss(model, rank * rows / size, rows / size);
      own.push((await optimizer.minimizeAsync(f, true, variables(model)))!.dataSync()[0]!);
    }
    return own;
  }));
  losses.forEach((loss, step) => {
    const mean = means.reduce((sum, own) => sum + own[step]! / size, 0);
    assert(Math.abs(mean - loss) < 1e-5, `step ${step}: ${mean} and ${loss}`);
  });
  const [first, ...others] = models.map(({ model }) => weights(model));
  for (const other of others) assertEquals(other, first);
  weights(alone).forEach((weight, i) => assert(Math.abs(weight - first![i]!) < 1e-4));
});

Deno.test("a group that must be awaited is refused by fit, in words", async () => {
  const model = perceptron(), { xs, ys } = data(8);
  const optimizer = new DistributedOptimizer(tf.train.sgd(0.1), { reducer: average(), group: together(2)[0]! });
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  await assertRejects(() => model.fit(xs, ys, { verbose: 0 }), TypeError, "minimizeAsync");
});

Deno.test("no tensor is left after 1 000 steps", () => {
  const { xs, ys } = data(4), model = perceptron();
  const optimizer = new DistributedOptimizer(tf.train.adam(0.01), { reducer: average(), group: echo(2) });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const step = () =>
    optimizer.minimize(
      () => tf.losses.meanSquaredError(ys, model.predict(xs) as tf.Tensor).asScalar(),
      false,
      variables,
    );
  step();
  const { numTensors, numDataBuffers } = tf.memory();
  for (let i = 0; i < 1000; i++) step();
  assertEquals([tf.memory().numTensors, tf.memory().numDataBuffers], [numTensors, numDataBuffers]);
});

Deno.test("a NaN on one rank stops all in the same step, or makes all skip it", async () => {
  for (const nonFinite of ["throw", "skip"] as const) {
    const ranks = together(2).map((group, rank) => {
      const w = tf.variable(tf.tensor1d([1, 2])), scale = tf.variable(tf.scalar(1));
      const optimizer = new DistributedOptimizer(tf.train.momentum(0.1, 0.9), { reducer: average(), group, nonFinite });
      const step = (factor: number) =>
        optimizer.minimizeAsync(() => w.mul(scale).sum().mul(factor).asScalar(), false, [scale, w]);
      return { rank, w, optimizer, step };
    });
    await Promise.all(ranks.map(({ step }) => step(1)));
    const before = ranks.map(({ w }) => [...w.dataSync()]);
    const results = await Promise.allSettled(ranks.map(({ rank, step }) => step(rank === 1 ? NaN : 1)));
    assertEquals(ranks.map(({ w }) => [...w.dataSync()]), before);
    for (const result of results) {
      assertEquals(result.status, nonFinite === "throw" ? "rejected" : "fulfilled");
      if (result.status === "rejected") {
        assert(result.reason instanceof RangeError);
        assert(/step 1: the gradient of variable 0 .* on rank 1 is not finite/.test(result.reason.message));
      }
    }
    await Promise.all(ranks.map(({ step }) => step(1)));
    assertEquals([...ranks[0]!.w.dataSync()], [...ranks[1]!.w.dataSync()]);
    assertEquals(ranks.map(({ optimizer }) => optimizer.iterations), nonFinite === "throw" ? [2, 2] : [3, 3]);
  }
});

Deno.test("a variable without a gradient on one rank, or on all", async () => {
  const ranks = together(2).map((group, rank) => {
    const [a, b, c] = [1, 1, 1].map((value) => tf.variable(tf.scalar(value))) as [
      tf.Variable,
      tf.Variable,
      tf.Variable,
    ];
    const optimizer = new DistributedOptimizer(tf.train.sgd(1), { reducer: average(), group });
    const f = () => (rank === 0 ? a.add(b) : a).asScalar();
    return { variables: [a, b, c], step: () => optimizer.minimizeAsync(f, false, [a, b, c]) };
  });
  await Promise.all(ranks.map(({ step }) => step()));
  for (const { variables } of ranks) assertEquals(variables.map((v) => v.dataSync()[0]), [0, 0.5, 1]);
});

Deno.test("a reducer that asks for the gradient at another point gets it, and one that has its own update applies it", () => {
  const reducer: Reducer = {
    name: "probe",
    options: {},
    yields: "step",
    init: () => ({ local: {}, shared: {} }),
    *reduce(gradient, _state, { parameters }) {
      const at = parameters!.map((value) => 10 * value);
      yield { op: "gradient", at, into: gradient };
    },
  };
  const w = tf.variable(tf.tensor1d([1, 2, 3]));
  const optimizer = new DistributedOptimizer(tf.train.sgd(1), { reducer, group: echo(1) });
  optimizer.minimize(() => w.square().sum().asScalar(), false, [w]);
  assertEquals([...w.dataSync()], [1 - 20, 2 - 40, 3 - 60]);
  assertThrows(() => optimizer.applyGradients([{ name: w.name, tensor: w }]), TypeError, "Call minimize");
});
