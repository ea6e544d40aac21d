/** One rank of the test "fit on several ranks": throws if anything is not as it should be. */

import { assert, assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  broadcastState,
  DistributedOptimizer,
  shardBatches,
  shardIndices,
  syncMetrics,
  syncState,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { allGather, connect, runBlocking } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");
using group = await connect();
const { rank, size } = group;
assertEquals(size, 3);

/** Throws unless the text is the same on all ranks. */
function assertSame(text: string): void {
  const texts = runBlocking(allGather(new TextEncoder().encode(text)), group);
  for (const other of texts) assertEquals(new TextDecoder().decode(other.slice()), text);
}

function model(seed: number, normalised: boolean): tf.LayersModel {
  const dense = (units: number, of: number) =>
    tf.layers.dense({
      units,
      activation: "tanh",
      kernelInitializer: tf.initializers.glorotNormal({ seed: 10 * seed + of }),
    });
  const made = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), dense(5, 1)] });
  if (normalised) made.add(tf.layers.batchNormalization());
  made.add(dense(1, 2));
  return made;
}

const rows = 48, batchSize = 4, xs = tf.randomNormal([rows, 4], 0, 1, "float32", 1), ys = xs.sum(1, true).tanh();
const loss = "meanSquaredError", verbose = 0;

// fit of this rank's rows, in the order in which one rank with three times the batch would see all rows.
{
  const order = Array.from({ length: rows }, (_, i) => i);
  const mine = order.filter((i) => Math.floor(i / batchSize) % size === rank);
  const part = (tensor: tf.Tensor) => tf.gather(tensor, tf.tensor1d(mine, "int32"));
  const own = model(1 + rank, false);
  const optimizer = new DistributedOptimizer(tf.train.adam(0.01), { method: average(), group, seed: 1 });
  own.compile({ optimizer, loss, metrics: ["mse"] });
  const { history } = await own.fit(part(xs), part(ys), {
    epochs: 3,
    batchSize,
    shuffle: false,
    verbose,
    callbacks: syncMetrics(group),
  });
  const alone = model(1, false);
  alone.compile({ optimizer: tf.train.adam(0.01), loss, metrics: ["mse"] });
  const expected = await alone.fit(xs, ys, { epochs: 3, batchSize: size * batchSize, shuffle: false, verbose });
  for (const [name, values] of Object.entries(expected.history) as [string, number[]][]) {
    values.forEach((value, epoch) => {
      assert(Math.abs(value - (history[name] as number[])[epoch]!) < 1e-5, `rank ${rank}: ${name} of epoch ${epoch}`);
    });
  }
  alone.getWeights().forEach((weight, i) => {
    const difference = weight.sub(own.getWeights()[i]!).abs().max().dataSync()[0]!;
    assert(difference < 1e-4, `weight ${i} differs by ${difference}`);
  });
  assertSame(JSON.stringify(history));
  assertSame(weightsDigest(own));
}

// fitDataset with shards reshuffled per epoch, BatchNorm's averages, a frozen layer that differs until it is broadcast.
{
  const own = model(1 + rank, true);
  own.layers[1]!.trainable = false;
  await broadcastState(own, group);
  const optimizer = new DistributedOptimizer(tf.train.momentum(0.05, 0.9), { method: average(), group, seed: 1 });
  own.compile({ optimizer, loss });
  const batches = shardBatches({ xs, ys }, group, { batchSize, seed: 5 });
  const { history } = await own.fitDataset(batches, {
    epochs: 4,
    verbose,
    callbacks: [syncMetrics(group), syncState(own, group)],
  });
  assertSame(JSON.stringify(history));
  assertSame(weightsDigest(own));
  const losses = history["loss"] as number[];
  assert(losses.at(-1)! < losses[0]!);
  assertEquals(optimizer.iterations, 4 * Math.ceil(shardIndices(rows, group).length / batchSize));
}
