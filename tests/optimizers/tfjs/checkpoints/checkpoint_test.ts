import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, naturalCompression } from "../../../../compressors/mod.ts";
import {
  average,
  diana,
  DistributedOptimizer,
  errorFeedback,
  type Method,
  readSafetensors,
  restoreCheckpoint,
  saveCheckpoint,
  weightsDigest,
  writeSafetensors,
} from "../../../../optimizers/mod.ts";
import { writeChecksum } from "../../../../optimizers/files/checksum.ts";
import { alone, type Collective, collective, memory } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9, true),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.05),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.9),
};
const methods: Record<string, () => Method> = {
  average: () => average(naturalCompression()),
  errorFeedback: () => errorFeedback(identity(), { delay: 2 }),
  diana: () => diana(naturalCompression()) as Method,
};

/** One rank: a model with BatchNorm, its own data, and a step. */
function trainee(group: Collective, method: Method, inner: tf.Optimizer, seed = 11) {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 4, kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }) }),
    ],
  });
  const optimizer = new DistributedOptimizer(inner, { method, group, seed });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const step = (i: number) => {
    const xs = tf.randomNormal([8, 3], 0, 1, "float32", 100 * i + group.rank + 1);
    const loss = () => tf.losses.meanSquaredError(xs.sum(1, true), model.apply(xs, { training: true }) as tf.Tensor);
    return optimizer.minimizeAsync(() => loss().asScalar(), false, variables);
  };
  return { model, optimizer, step };
}

async function run(trainees: ReturnType<typeof trainee>[], from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await Promise.all(trainees.map(({ step }) => step(i)));
}

for (const [name, inner] of Object.entries(optimizers)) {
  for (const [label, method] of Object.entries(methods)) {
    Deno.test(`${label} with ${name} goes on from a checkpoint with the same bits`, async () => {
      const ranks = () => memory(2).map((transport) => trainee(collective(transport), method(), inner()));
      const straight = ranks();
      await run(straight, 0, 3);
      const files = straight.map(({ optimizer, model }) => saveCheckpoint(optimizer, model));
      await run(straight, 3, 6);
      const resumed = ranks();
      resumed.forEach(({ optimizer, model }, rank) => restoreCheckpoint(optimizer, files[rank]!, model));
      // Saving what was just restored gives the file again.
      resumed.forEach(({ optimizer, model }, rank) => {
        const { tensors } = readSafetensors(files[rank]!), again = readSafetensors(saveCheckpoint(optimizer, model));
        assertEquals(again.tensors, tensors);
      });
      await run(resumed, 3, 6);
      resumed.forEach(({ model, optimizer }, rank) => {
        assertEquals(weightsDigest(model), weightsDigest(straight[rank]!.model));
        assertEquals(optimizer.getState().local, straight[rank]!.optimizer.getState().local);
        assertEquals(optimizer.getState().shared, straight[rank]!.optimizer.getState().shared);
        assertEquals(optimizer.iterations, 6);
        assertEquals(optimizer.getState().inner, straight[rank]!.optimizer.getState().inner);
      });
    });
  }
}

Deno.test("a checkpoint of a group of one, and a learning rate that was changed", async () => {
  const make = () => trainee(alone() as unknown as Collective, average(), tf.train.sgd(0.05));
  const straight = make();
  await run([straight], 0, 2);
  const file = saveCheckpoint(straight.optimizer, straight.model), resumed = make();
  restoreCheckpoint(resumed.optimizer, file, resumed.model);
  await run([straight], 2, 4), await run([resumed], 2, 4);
  assertEquals(weightsDigest(resumed.model), weightsDigest(straight.model));
  const inner = tf.train.sgd(0.05), other = tf.train.sgd(0.05);
  inner.setLearningRate(0.01);
  const saved = saveCheckpoint(trainee(alone() as unknown as Collective, average(), inner).optimizer);
  restoreCheckpoint(trainee(alone() as unknown as Collective, average(), other).optimizer, saved);
  assertEquals(other.getConfig(), { learningRate: 0.01 });
});

Deno.test("only rank 0 writes what all ranks share", async () => {
  const ranks = memory(2).map((transport) => trainee(collective(transport), methods["diana"]!(), tf.train.sgd(0.1)));
  await run(ranks, 0, 1);
  const names = ranks.map(({ optimizer }) => Object.keys(readSafetensors(saveCheckpoint(optimizer)).tensors));
  assertEquals(names.map((names) => names.filter((name) => name.startsWith("shared/")).length > 0), [true, false]);
  assertEquals(names.map((names) => names.filter((name) => name.startsWith("local/")).length > 0), [true, true]);
});

Deno.test("what differs is refused by name, and nothing is changed", async () => {
  const group = (rank: number, size: number) => ({ ...alone(), rank, size }) as unknown as Collective;
  const [first, second] = memory(2).map((transport) => trainee(collective(transport), average(), tf.train.adam(0.1)));
  await run([first!, second!], 0, 2);
  const file = saveCheckpoint(first!.optimizer, first!.model), { tensors, metadata } = readSafetensors(file);
  const changed = (changes: Record<string, string>) =>
    writeChecksum(writeSafetensors({ tensors, metadata: { ...metadata, ...changes } }));
  const make = (
    at = group(0, 2),
    method: Method = average(),
    inner: tf.Optimizer = tf.train.adam(0.1),
    seed?: number,
  ) => trainee(at, method, inner, seed);
  const cases: [ReturnType<typeof trainee>, Uint8Array, string][] = [
    [make(group(1, 2)), file, "rank is 0 in the checkpoint, 1 here"],
    [make(group(0, 3)), file, "size is 2 in the checkpoint, 3 here"],
    [make(undefined, undefined, undefined, 4), file, "seed is 11 in the checkpoint, 4 here"],
    [
      make(undefined, average(naturalCompression())),
      file,
      "method is average({ compressor: identity() }) in the checkpoint, average({ compressor: naturalCompression",
    ],
    [make(undefined, undefined, tf.train.sgd(1)), file, "class is Adam in the checkpoint, SGD here"],
    [make(undefined, undefined, tf.train.adam(0.1, 0.8)), file, "beta1 is 0.9 in the checkpoint, 0.8 here"],
    [make(), changed({ version: "3" }), 'the checkpoint has version "3", expected "2"'],
    [make(), changed({ version: "1" }), "version 1, which has no checksum; expected 2. Restore it with the release"],
    [make(), changed({ format: "pt" }), "the file is not a checkpoint"],
    [make(), file.subarray(0, 100), "Cannot read the safetensors file"],
    [make(), changed({ step: "-1" }), 'the checkpoint\'s step is "-1"'],
    [make(), changed({ inner: "{" }), 'the checkpoint\'s inner is "{"'],
    [make(), changed({ inner: "null" }), "the checkpoint's inner is"],
    [make(), changed({ layout: "{}" }), "the checkpoint's layout is"],
    [make(), changed({ method: "" }), "the checkpoint's method is"],
    [make(), writeChecksum(writeSafetensors({ tensors: {}, metadata })), "names weight 0, but lacks it"],
  ];
  for (const [{ optimizer, model }, bytes, why] of cases) {
    const before = [weightsDigest(model), structuredClone(optimizer.getState())];
    assertThrows(() => restoreCheckpoint(optimizer, bytes, model), Error, why);
    assertEquals([weightsDigest(model), structuredClone(optimizer.getState())], before);
  }
  const other = tf.variable(tf.zeros([7]));
  const { optimizer } = make(alone() as unknown as Collective, { ...average(), yields: "step" });
  restoreCheckpoint(optimizer, changed({ size: "1" }));
  assertThrows(
    () => optimizer.minimize(() => other.sum().asScalar(), false, [other]),
    Error,
    "variable 0 is",
  );
});

Deno.test("a checkpoint that names its method by the old word, reducer, is restored", () => {
  const make = () => trainee(alone() as unknown as Collective, average(), tf.train.adam(0.1)), { optimizer } = make();
  const { tensors, metadata: { method, ...metadata } } = readSafetensors(saveCheckpoint(optimizer));
  const file = (reducer: string) => writeChecksum(writeSafetensors({ tensors, metadata: { ...metadata, reducer } }));
  restoreCheckpoint(make().optimizer, file(method!));
  assertThrows(
    () => restoreCheckpoint(make().optimizer, file("sum()")),
    Error,
    "method is sum() in the checkpoint, aver",
  );
});
