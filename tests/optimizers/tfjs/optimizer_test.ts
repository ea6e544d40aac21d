import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer, type Method } from "../../../optimizers/mod.ts";
import { alone, TransportError } from "../../../transport/mod.ts";
import { data, echo, models, perceptron, probe, together, variables, weights } from "./training.ts";

await tf.setBackend("cpu");

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
      assertEquals(await train(new DistributedOptimizer(inner(), { method: average(), group: echo(size) })), plain);
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
  const alone = perceptron(), adam = tf.train.adam(0.01), losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    losses.push(adam.minimize(loss(alone, 0, rows), true, variables(alone))!.dataSync()[0]!);
  }
  const models = together(size).map((group, rank) => {
    // Different weights: rank 0's count.
    const model = perceptron(1 + 100 * rank);
    return { model, rank, optimizer: new DistributedOptimizer(tf.train.adam(0.01), { method: average(), group }) };
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

/** Every way to train, by a name that says how. */
const ways: Record<string, (model: tf.LayersModel, data: { xs: tf.Tensor; ys: tf.Tensor }) => Promise<unknown>> = {
  fit: (model, { xs, ys }) => model.fit(xs, ys, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 }),
  fitDataset: (model, { xs, ys }) => {
    const rows = (from: tf.Tensor) => tf.data.array(tf.unstack(from));
    return model.fitDataset(tf.data.zip({ xs: rows(xs), ys: rows(ys) }).batch(8), { epochs: 2, verbose: 0 });
  },
  trainOnBatch: async (model, { xs, ys }) => [await model.trainOnBatch(xs, ys), await model.trainOnBatch(xs, ys)],
  minimize: (model, { xs, ys }) => {
    const loss = () => tf.losses.softmaxCrossEntropy(ys, model.predict(xs) as tf.Tensor).asScalar();
    return Promise.resolve([1, 2].map(() => model.optimizer.minimize(loss, true)!.dataSync()[0]));
  },
  "minimize with a list": (model, { xs, ys }) => {
    const loss = () => tf.losses.softmaxCrossEntropy(ys, model.predict(xs) as tf.Tensor).asScalar();
    return Promise.resolve([1, 2].map(() => model.optimizer.minimize(loss, true, variables(model))!.dataSync()[0]));
  },
};

for (const [modelName, make] of Object.entries(models)) {
  for (const [way, train] of Object.entries(ways)) {
    Deno.test(`${way} on a ${modelName} model gives what the inner optimizer gives`, async () => {
      const batch = data(16),
        run = async (optimizer: tf.Optimizer) => {
          const model = make();
          // The others must not be trained by minimize without a list.
          for (const variable of Object.values(tf.engine().registeredVariables)) {
            if (!model.weights.some((weight) => weight.read() === variable)) variable.dispose();
          }
          model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
          const result = await train(model, batch);
          return { result: (result as tf.History).history ?? result, weights: weights(model) };
        };
      const plain = await run(tf.train.sgd(0.1));
      assertEquals(
        await run(new DistributedOptimizer(tf.train.sgd(0.1), { method: average(), group: echo(2) })),
        plain,
      );
    });
  }
}

Deno.test("several inputs and outputs", async () => {
  const run = async (optimizer: tf.Optimizer) => {
    const inputs = [tf.input({ shape: [2] }), tf.input({ shape: [3] })];
    const dense = (units: number, seed: number) =>
      tf.layers.dense({ name: `dense${seed}`, units, kernelInitializer: tf.initializers.glorotNormal({ seed }) });
    const hidden = tf.layers.concatenate().apply(
      inputs.map((input, i) => dense(2, 1 + i).apply(input)) as tf.SymbolicTensor[],
    );
    const outputs = [dense(1, 7).apply(hidden), dense(2, 8).apply(hidden)] as tf.SymbolicTensor[];
    const model = tf.model({ inputs, outputs });
    model.compile({ optimizer, loss: ["meanSquaredError", "meanSquaredError"] });
    const xs = [tf.randomNormal([8, 2], 0, 1, "float32", 1), tf.randomNormal([8, 3], 0, 1, "float32", 2)];
    const ys = [tf.ones([8, 1]), tf.ones([8, 2])];
    const { history } = await model.fit(xs, ys, { epochs: 3, batchSize: 4, shuffle: false, verbose: 0 });
    return { history, weights: weights(model) };
  };
  assertEquals(
    await run(new DistributedOptimizer(tf.train.adam(0.1), { method: average(), group: echo(4) })),
    await run(tf.train.adam(0.1)),
  );
});

Deno.test("a group that must be awaited is refused by fit, in words", async () => {
  const model = perceptron(), { xs, ys } = data(8);
  const optimizer = new DistributedOptimizer(tf.train.sgd(0.1), { method: average(), group: together(2)[0]! });
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  await assertRejects(() => model.fit(xs, ys, { verbose: 0 }), TypeError, "minimizeAsync");
});

Deno.test("the learning rate is the inner optimizer's", () => {
  const rates: (number | undefined)[] = [],
    method: Method = {
      ...probe,
      // deno-lint-ignore require-yield -- a method may exchange nothing
      *reduce(_gradient, _state, { learningRate }) {
        rates.push(learningRate);
      },
    };
  for (const inner of [tf.train.sgd(0.5), tf.train.adam(0.5)]) {
    const w = tf.variable(tf.scalar(1)), optimizer = new DistributedOptimizer(inner, { method, group: echo(1) });
    optimizer.minimize(() => w.square().asScalar(), false, [w]);
    optimizer.learningRate = 0.25;
    optimizer.minimize(() => w.square().asScalar(), false, [w]);
  }
  assertEquals(rates, [0.5, 0.25, 0.5, 0.25]);
});

Deno.test("a step may not start before the last one ended", async () => {
  const [group] = together(2), w = tf.variable(tf.scalar(1));
  const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: average(), group: group! });
  const step = () => optimizer.minimizeAsync(() => w.square().asScalar(), false, [w]);
  const first = step();
  await assertRejects(step, Error, "await minimizeAsync");
  await group![Symbol.asyncDispose]();
  await assertRejects(() => first, TransportError);
});

Deno.test("a saved model remembers the inner optimizer", async () => {
  const model = perceptron(), { xs, ys } = data(8);
  const optimizer = new DistributedOptimizer(tf.train.adam(0.02, 0.8), { method: average(), group: echo(2), seed: 3 });
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  await model.fit(xs, ys, { epochs: 2, shuffle: false, verbose: 0 });
  let saved!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" as const } });
    }),
    { includeOptimizer: true },
  );
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved));
  assertEquals(loaded.optimizer.getClassName(), "DistributedOptimizer");
  assertEquals(loaded.optimizer.getConfig(), optimizer.getConfig());
  assertEquals(loaded.optimizer.iterations, 2);
  for (const each of [model, loaded]) await each.fit(xs, ys, { epochs: 1, shuffle: false, verbose: 0 });
});

const method = average(), group = alone();

Deno.test("setLearningRate sets the inner optimizer's, and refuses what is no rate", () => {
  for (const inner of [tf.train.sgd(1), tf.train.momentum(1, 0.5), tf.train.adam(1)]) {
    const optimizer = new DistributedOptimizer(inner, { method, group });
    optimizer.setLearningRate(0.25);
    assertEquals(optimizer.learningRate, 0.25);
    assertEquals((inner as unknown as { learningRate: number }).learningRate, 0.25);
    for (const rate of [NaN, -1, Infinity, "1" as unknown as number]) {
      assertThrows(() => optimizer.setLearningRate(rate), RangeError, "expected a finite number ≥ 0");
    }
  }
});
