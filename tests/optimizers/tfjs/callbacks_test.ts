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
} from "../../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../../transport/mod.ts";

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
      message === '["other"]' ? "rank 1 sent 9 bytes of no call that is known" : "of no call that is known",
    );
  }
});

Deno.test("a rank with fewer batches: both sides say so", async () => {
  await together(2, async (group) => {
    const w = tf.variable(tf.scalar(1)),
      optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: average(), group });
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
    await assertRejects(
      () => broadcastState([own], group),
      Error,
      'weight.0 differs: rank 0 has "float32 [1]", rank 1 has "float32 [2]"',
    );
  });
});

Deno.test("broadcastState and averageState compare types, shapes and how many before they change anything", async () => {
  const make = (values: number[], shape: number[], dtype: "float32" | "int32" = "float32") =>
    tf.variable(tf.tensor(values, shape, dtype), false);
  const pairs: [tf.Variable[], tf.Variable[], string][] = [
    // As many bytes in another shape, or of another type.
    [[make([1, 2, 3, 4, 5, 6], [2, 3])], [make([0, 0, 0, 0, 0, 0], [3, 2])], "[2,3]"],
    [[make([1, 2], [2])], [make([0, 0], [2], "int32")], 'rank 1 has "int32 [2]"'],
    [[make([1], []), make([2], [])], [make([0, 0], [2])], "weight.0 differs"],
    [[make([1], []), make([2], [])], [make([0], [])], "weight.1 differs"],
  ];
  for (const [ours, theirs, why] of pairs) {
    for (const change of [broadcastState, averageState]) {
      const before = weightsDigest(theirs);
      await together(2, async (group) => {
        const own = group.rank === 0 ? ours : theirs;
        await assertRejects(() => change(own, group), Error, why);
        // The group is whole: what is right goes on in it.
        await change([make([group.rank], [1])], group);
      });
      assertEquals(weightsDigest(theirs), before);
    }
  }
  await together(2, async (group) => {
    await assertRejects(() => broadcastState([make([1], [])], group, { root: group.rank }), Error, "root differs");
    const text = tf.variable(tf.tensor(["a"]), false);
    await assertRejects(() => broadcastState([text], group), TypeError, "weight 0");
  });
});

Deno.test("averageState is finite where the mean is, and refuses on all ranks, unchanged, what is not", async () => {
  const most = 3.4e38, cases = [[most, most, most, most], [-most, most, most, most], [most, -most, 1, 0]];
  for (const values of cases) {
    const expected = values.reduce((sum, value) => sum + value / values.length, 0);
    await together(values.length, async (group) => {
      const own = tf.variable(tf.tensor1d([values[group.rank]!, 1 / 3]));
      await averageState([own], group);
      const [mean, same] = own.dataSync();
      assert(Math.abs(mean! - expected) <= 1e-7 * most, `${mean} and ${expected}`);
      assertEquals(same, Math.fround(1 / 3));
    });
  }
  for (const bad of [0, 1]) {
    for (const value of [NaN, Infinity]) {
      await together(2, async (group) => {
        const first = tf.variable(tf.scalar(group.rank)), own = tf.variable(tf.scalar(group.rank === bad ? value : 1));
        const before = weightsDigest([first, own]);
        await assertRejects(() => averageState([first, own], group), RangeError, `is not finite on rank ${bad}`);
        assertEquals(weightsDigest([first, own]), before);
      });
    }
  }
  await together(2, async (group) => { // what all have is equal, and stays
    const own = tf.variable(tf.tensor1d([Infinity, group.rank]));
    await averageState([own], group);
    assertEquals([...own.dataSync()], [Infinity, 0.5]);
  });
});

Deno.test("syncMetrics and syncState stand beside tfjs's own callbacks in either order, and stop all ranks alike", async () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
    const epochs = await together(2, async (group) => {
      const trained = model(1), xs = tf.randomNormal([8, 3], 0, 1, "float32", group.rank + 1), ys = xs.sum(1, true);
      // Nothing moves, so that the loss does not improve from the first epoch on.
      trained.compile({ optimizer: tf.train.sgd(0), loss: "meanSquaredError" });
      trained.layers[1]!.trainable = false;
      const callbacks = [
        syncMetrics(group),
        syncState(trained, group),
        tf.callbacks.earlyStopping({ monitor: "loss", patience: 1 }),
      ];
      const { epoch } = await trained.fit(xs, ys, {
        epochs: 20,
        shuffle: false,
        verbose: 0,
        callbacks: order.map((i) => callbacks[i]!),
      });
      return epoch.length;
    });
    assertEquals(epochs[0], epochs[1]);
    assert(epochs[0]! < 20, `${epochs}`);
  }
  const spread = { ...syncMetrics(memory(1).map((transport) => collective(transport))[0]!) };
  assertEquals(typeof spread.onEpochEnd, "function");
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
