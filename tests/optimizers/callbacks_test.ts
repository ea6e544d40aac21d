import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  averageState,
  broadcastState,
  DistributedOptimizer,
  syncMetrics,
  syncState,
  weightsDigest,
} from "../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../transport/mod.ts";

await tf.setBackend("cpu");

function together<R>(size: number, rank: (group: Collective) => Promise<R>): Promise<R[]> {
  return Promise.all(memory(size).map((transport) => rank(collective(transport, { timeout: 5000 }))));
}

function model(seed: number): tf.LayersModel {
  const kernelInitializer = tf.initializers.glorotNormal({ seed });
  return tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 2, kernelInitializer, trainable: false }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, kernelInitializer }),
    ],
  });
}

Deno.test("syncMetrics makes History the mean over ranks", async () => {
  const fit = async (group: Collective, synchronised: boolean) => {
    const trained = model(1), xs = tf.randomNormal([8, 3], 0, 1, "float32", group.rank + 1), ys = xs.sum(1, true);
    trained.compile({ optimizer: "sgd", loss: "meanSquaredError", metrics: ["mse"] });
    const { history } = await trained.fit(xs, ys, {
      epochs: 2,
      verbose: 0,
      shuffle: false,
      validationSplit: 0.25,
      ...synchronised ? { callbacks: syncMetrics(group) } : {},
    });
    return history as Record<string, number[]>;
  };
  const own = await together(3, (group) => fit(group, false)), mean = await together(3, (group) => fit(group, true));
  for (const other of mean) assertEquals(other, mean[0]);
  assertEquals(Object.keys(mean[0]!).sort(), ["loss", "mse", "val_loss", "val_mse"]);
  for (const [name, values] of Object.entries(mean[0]!)) {
    values.forEach((value, epoch) => {
      const expected = own.reduce((sum, history) => sum + history[name]![epoch]! / 3, 0);
      assert(Math.abs(value - expected) < 1e-6 * Math.abs(expected));
    });
  }
});

Deno.test("syncMetrics passes NaN and infinity on, and refuses ranks that disagree", async () => {
  const logs = await together(2, async (group) => {
    const logs = { a: group.rank ? NaN : 1, b: group.rank ? Infinity : 1 };
    await syncMetrics(group).onEpochEnd(0, logs);
    return logs;
  });
  assertEquals(logs, [{ a: NaN, b: Infinity }, { a: NaN, b: Infinity }]);
  const refused = (rank: (group: Collective) => Promise<unknown>, why: string) =>
    together(
      2,
      (group) => group.rank === 0 ? assertRejects(() => rank(group), Error, why) : rank(group).catch(() => {}),
    );
  await refused((group) => syncMetrics(group).onEpochEnd(group.rank, {}), "rank 1 reports  of epoch 1");
  await refused((group) => syncMetrics(group).onEpochEnd(0, group.rank ? { x: 1 } : { y: 1 }), "rank 1 reports x");
  for (const message of ["", "[", "7", '["other"]']) {
    await refused(
      (group) =>
        group.rank
          ? group.perform({ op: "allGather", message: new TextEncoder().encode(message) })
          : syncMetrics(group).onEpochEnd(0, { y: 1 }),
      "rank 1 sent something else",
    );
  }
});

Deno.test("a rank with fewer batches: both sides say so", async () => {
  await together(2, async (group) => {
    const w = tf.variable(tf.scalar(1)),
      optimizer = new DistributedOptimizer(tf.train.sgd(1), { reducer: average(), group });
    const step = () => optimizer.minimizeAsync(() => w.square().asScalar(), false, [w]);
    await step();
    if (group.rank === 0) await assertRejects(step, Error, "rank 1 took fewer steps than you: it has ended the epoch");
    else await assertRejects(() => syncMetrics(group).onEpochEnd(0, { loss: 1 }), Error, "have equally many batches");
  });
});

Deno.test("broadcastState gives all ranks the root's weights, frozen ones and averages included", async () => {
  for (const root of [0, 2]) {
    const digests = await together(3, async (group) => {
      const own = model(1 + group.rank), flag = tf.variable(tf.tensor1d([group.rank, 1], "int32"), false);
      const mask = tf.variable(tf.tensor1d([group.rank === root, true], "bool"), false);
      const before = [weightsDigest(own), weightsDigest([flag, mask])];
      await broadcastState(own, group, { root });
      await broadcastState([flag, mask], group, { root });
      return { before, after: [weightsDigest(own), weightsDigest([flag, mask])] };
    });
    for (const { after } of digests) assertEquals(after, digests[root]!.before);
    assertEquals(new Set(digests.map(({ before }) => before[0])).size, 3);
  }
});

Deno.test("broadcastState refuses a root that is none, and another size", async () => {
  const [group] = memory(1).map((transport) => collective(transport));
  assertThrows(() => broadcastState([], group!, { root: 1 }), RangeError, "root is 1");
  await together(2, async (group) => {
    const own = tf.variable(tf.zeros([group.rank + 1]));
    if (group.rank === 0) await broadcastState([own], group);
    else await assertRejects(() => broadcastState([own], group), RangeError, "it has 4 bytes, rank 1 has 8");
  });
});

Deno.test("averageState means what is not trained; what is equal keeps its bits, trained weights stay", async () => {
  const ranks = await together(3, async (group) => {
    const own = model(1), [mean, variance] = own.layers[1]!.nonTrainableWeights.map((w) => w.read() as tf.Variable);
    mean!.assign(tf.tensor1d([group.rank, 0.1])), variance!.assign(tf.tensor1d([1 / 3, 2 ** group.rank]));
    (own.layers[2]!.trainableWeights[1]!.read() as tf.Variable).assign(tf.tensor1d([group.rank]));
    const kernel = weightsDigest([own.weights[0]!.read() as tf.Variable]);
    await syncState(own, group).onEpochEnd(0);
    assertEquals(weightsDigest([own.weights[0]!.read() as tf.Variable]), kernel);
    return [mean!, variance!, own.layers[2]!.trainableWeights[1]!.read()].map((variable) => [...variable.dataSync()]);
  });
  const [a, b] = [Math.fround(0.1), Math.fround(1 / 3)];
  ranks.forEach((values, rank) => assertEquals(values, [[1, a], [b, Math.fround(7 / 3)], [rank]]));
});

Deno.test("averaging leaves no tensor behind", async () => {
  await together(2, async (group) => {
    const own = model(1), { numTensors } = tf.memory();
    await averageState(own, group);
    await broadcastState(own, group);
    if (group.rank === 1) assertEquals(tf.memory().numTensors, numTensors);
  });
});
