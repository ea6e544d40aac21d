import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer, syncMetrics, syncState } from "../../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../../transport/mod.ts";
import { model, together } from "./normalised.ts";

await tf.setBackend("cpu");

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

Deno.test("syncMetrics averages metrics by name, in whatever order the ranks report them", async () => {
  const groups = memory(2).map((transport) => collective(transport));
  const logs: Record<string, number>[] = [{ loss: 1, accuracy: 10 }, { accuracy: 30, loss: 3 }];
  await Promise.all(groups.map((group, rank) => syncMetrics(group).onEpochEnd(0, logs[rank]!)));
  for (const mean of logs) assertEquals(mean, { loss: 2, accuracy: 20 });
  for (const group of groups) await group[Symbol.asyncDispose]();
});
