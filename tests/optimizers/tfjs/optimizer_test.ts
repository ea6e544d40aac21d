import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, naturalCompression, topK } from "../../../compressors/mod.ts";
import { average, DistributedOptimizer, errorFeedback, type Method, weightsDigest } from "../../../optimizers/mod.ts";
import {
  type BlockingCollective,
  type Collective,
  collective,
  memory,
  performTogether,
  TransportError,
} from "../../../transport/mod.ts";

await tf.setBackend("cpu");

/** Awaited groups of one thread. */
function together(size: number): Collective[] {
  return memory(size).map((transport) => collective(transport, { timeout: 5000 }));
}

/** A blocking group whose other ranks say what this one says: what a rank's own path can be tested with. */
function echo(size: number): BlockingCollective {
  return {
    rank: 0,
    size,
    traffic: { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 },
    perform: (round) =>
      performTogether(Array.from({ length: size }, (_, r) => r === 0 ? round : structuredClone(round)))[0]!,
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

function variables(model: tf.LayersModel): tf.Variable[] {
  return model.trainableWeights.map((weight) => weight.read() as tf.Variable);
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

/** Models that are not a plain chain of trained layers. */
const models: Record<string, () => tf.LayersModel> = {
  plain: perceptron,
  frozen: () => {
    const model = perceptron();
    model.layers[0]!.trainable = false;
    return model;
  },
  "batch normalisation": () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [6], units: 4, kernelInitializer: tf.initializers.glorotNormal({ seed: 5 }) }),
        tf.layers.batchNormalization(),
        tf.layers.dense({
          units: 3,
          activation: "softmax",
          kernelInitializer: tf.initializers.glorotNormal({ seed: 6 }),
        }),
      ],
    }),
  "a shared layer": () => {
    const input = tf.input({ shape: [6] });
    const kernelInitializer = (seed: number) => tf.initializers.glorotNormal({ seed });
    const shared = tf.layers.dense({ units: 6, activation: "tanh", kernelInitializer: kernelInitializer(5) });
    const last = tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer: kernelInitializer(6) });
    return tf.model({ inputs: input, outputs: last.apply(shared.apply(shared.apply(input))) as tf.SymbolicTensor });
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

/** Yields its own update, the gradient at ten times the parameters. */
const probe: Method = {
  name: "probe",
  options: {},
  yields: "step",
  init: () => ({ local: {}, shared: {} }),
  *reduce(gradient, _state, { parameters }) {
    const at = parameters!.map((value) => 10 * value);
    yield { op: "gradient", at, into: gradient };
  },
};

Deno.test("a method that asks for the gradient at another point gets it, and one that has its own update applies it", () => {
  const w = tf.variable(tf.tensor1d([1, 2, 3]));
  const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: probe, group: echo(1) });
  optimizer.minimize(() => w.square().sum().asScalar(), false, [w]);
  assertEquals([...w.dataSync()], [1 - 20, 2 - 40, 3 - 60]);
  assertThrows(() => optimizer.applyGradients([{ name: w.name, tensor: w }]), TypeError, "Call minimize");
});

Deno.test("a method that yields parameters sets them, and they do not change with its vector afterwards", () => {
  const method: Method = {
    ...probe,
    yields: "parameters",
    // deno-lint-ignore require-yield -- a method may exchange nothing
    *reduce(gradient, _state, { parameters }) {
      parameters!.forEach((value, i) => gradient[i] = value + 1);
    },
  };
  const w = tf.variable(tf.tensor1d([1, 2])),
    optimizer = new DistributedOptimizer(tf.train.sgd(1), { method, group: echo(1) });
  const step = (factor: number) => optimizer.minimize(() => w.square().sum().mul(factor).asScalar(), false, [w]);
  step(1), step(1);
  assertEquals([...w.dataSync()], [3, 4]);
  assertThrows(() => step(NaN), RangeError);
  assertEquals([...w.dataSync()], [3, 4]);
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
    // Gone after the status round, in the middle of the step.
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

Deno.test("ranks that differ are refused before the first step, on every rank, by name", async () => {
  const one = { shape: [2], inner: () => tf.train.sgd(0.5), seed: 1, method: average(), nonFinite: "throw" as const };
  const cases: [Partial<Omit<typeof one, "nonFinite"> & { nonFinite: "throw" | "skip" }>, string][] = [
    [{ shape: [3] }, 'variables.0 differs: ranks 0, 2 have "[2]", rank 1 has "[3]"'],
    [{ shape: [1, 2] }, 'variables.0 differs: ranks 0, 2 have "[2]", rank 1 has "[1, 2]"'],
    [{ seed: 2 }, "seed differs: ranks 0, 2 have 1, rank 1 has 2"],
    [
      { method: errorFeedback(identity()) },
      'method.name differs: ranks 0, 2 have "average", rank 1 has "errorFeedback"',
    ],
    [{ method: average(naturalCompression()) }, "method.options.compressor"],
    [{ nonFinite: "skip" }, 'nonFinite differs: ranks 0, 2 have "throw", rank 1 has "skip"'],
    [{ inner: () => tf.train.sgd(0.25) }, "inner.config.learningRate differs: ranks 0, 2 have 0.5, rank 1 has 0.25"],
    [{ inner: () => tf.train.adam(0.5) as unknown as tf.SGDOptimizer }, "inner.className differs"],
  ];
  for (const [other, why] of cases) {
    const results = await Promise.allSettled(
      together(3).map(async (group) => {
        const { shape, inner, ...options } = { ...one, ...group.rank === 1 ? other : {} };
        const w = tf.variable(tf.ones(shape)), optimizer = new DistributedOptimizer(inner(), { ...options, group });
        await optimizer.minimizeAsync(() => w.square().sum().asScalar(), false, [w]).finally(() => {
          assert(w.dataSync().every((value) => value === 1));
        });
      }),
    );
    for (const result of results) {
      assert(result.status === "rejected" && String(result.reason).includes(why), `${JSON.stringify(result)} ${why}`);
    }
  }
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

Deno.test("options that are wrong are refused in words", () => {
  const method = average(), group = echo(2), sgd = tf.train.sgd(1);
  const make = (inner: unknown, options: unknown) => () =>
    new DistributedOptimizer(inner as tf.Optimizer, options as never);
  assertThrows(make({}, { method, group }), TypeError, "expected a tf.Optimizer");
  assertThrows(
    make(new DistributedOptimizer(sgd, { method, group }), { method, group }),
    TypeError,
    "is one already",
  );
  assertThrows(make(sgd, { group }), TypeError, "method is undefined");
  assertThrows(make(sgd, { method }), TypeError, "group is undefined");
  assertThrows(
    make(sgd, { method, group, sead: 1 }),
    TypeError,
    'there is no option "sead", expected one of method, group, seed, nonFinite, dataLoss',
  );
  assertThrows(make(sgd, { method, group, seed: 0.5 }), RangeError, "seed is 0.5");
  assertThrows(make(sgd, { method, group, nonFinite: "ignore" }), TypeError, 'nonFinite is "ignore"');
});
