import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { shard, shardBatches, shardIndices, type ShardOptions } from "../../../../optimizers/mod.ts";

await tf.setBackend("cpu");

const places = (size: number) => Array.from({ length: size }, (_, rank) => ({ rank, size }));
const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

Deno.test("parts are disjoint, of equal length, and together all but the remainder", () => {
  for (const [length, size] of [[0, 3], [2, 3], [12, 1], [12, 4], [13, 4], [1000, 7]] as const) {
    const parts = places(size).map((place) => shardIndices(length, place, { seed: 5 }));
    assert(parts.every((part) => part.length === Math.floor(length / size)));
    const all = new Set(parts.flatMap((part) => [...part]));
    assertEquals(all.size, size * Math.floor(length / size));
    assert([...all].every((index) => 0 <= index && index < length));
  }
});

Deno.test("the order depends on seed and epoch and on nothing else", () => {
  const order = (options: ShardOptions) => shardIndices(100, { rank: 1, size: 2 }, options).join();
  assertEquals(order({ seed: 1, epoch: 2 }), order({ seed: 1, epoch: 2 }));
  const orders = [{}, { seed: 1 }, { epoch: 1 }, { seed: 1, epoch: 1 }, { shuffle: false }].map(order);
  assertEquals(new Set(orders).size, orders.length);
});

Deno.test("every row is equally likely to be any rank's, in any place", () => {
  // 4 000 epochs: a share deviates from 1/8 by more than 6 σ = 0.032 with a chance of 64 · 2e-9.
  const counts = new Float64Array(64), epochs = 4000;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const { rank, size } of places(2)) {
      shardIndices(8, { rank, size }, { epoch }).forEach((row, i) => counts[8 * (4 * rank + i) + row]!++);
    }
  }
  for (const count of counts) assert(Math.abs(count / epochs - 1 / 8) < 0.032);
});

Deno.test("rows of tensors, arrays and typed arrays stay together", () => {
  const n = 10,
    data = {
      tensor: tf.range(0, n).reshape([n, 1]),
      array: Array.from({ length: n }, (_, i) => `${i}`),
      numbers: Int32Array.from({ length: n }, (_, i) => i),
    };
  const { tensor, array, numbers } = shard(data, { rank: 2, size: 3 }, { seed: 9 });
  assertEquals(tensor.shape, [3, 1]);
  assertEquals([...tensor.dataSync()], [...numbers]);
  assertEquals(array, [...numbers].map(String));
  assertEquals(shard(data.array, { rank: 2, size: 3 }, { seed: 9 }), array);
  assertThrows(
    () => shard({ xs: [1, 2], ys: [1] }, { rank: 0, size: 1 }),
    RangeError,
    "xs has 2 rows, ys has 1",
  );
});

Deno.test("wrong places and options are refused with the value", () => {
  assertThrows(() => shard([1], { rank: 2, size: 2 }), RangeError, "rank is 2 of 2");
  assertThrows(() => shard([1], { rank: 0, size: 1 }, { epoch: -1 }), RangeError, "epoch is -1");
  assertThrows(() => shard([1], { rank: 0, size: 1 }, { seed: 1.5 }), RangeError, "seed is 1.5");
  assertThrows(() => shard([1], { rank: 0, size: 1 }, { buffer: 0 }), RangeError, "buffer is 0");
  const data = { xs: tf.zeros([2]) };
  assertThrows(() => shardBatches(data, { rank: 0, size: 1 }, { batchSize: 0 }), RangeError, "batchSize is 0");
});

const collect = async (dataset: tf.data.Dataset<tf.TensorContainer>): Promise<number[]> => {
  const values: number[] = [];
  await dataset.forEachAsync((element) => {
    const [value] = Object.values(element as tf.TensorContainerObject) as [tf.Tensor | number];
    if (typeof value === "number") values.push(value);
    else values.push(...value.dataSync());
    tf.dispose(element);
  });
  return values;
};

for (
  const [length, size, buffer] of [[2, 2, 8], [40, 4, 1], [43, 4, 3], [43, 3, 1024], [5, 1, 2]] as const
) {
  Deno.test(`a dataset of ${length} for ${size} ranks with a buffer of ${buffer}, reshuffled per epoch`, async () => {
    const made = () =>
      tf.data.generator(function* () {
        for (let i = 0; i < length; i++) yield { i: tf.scalar(i) };
      });
    const { numTensors } = tf.memory();
    const parts = places(size).map((place) => shard(made(), place, { seed: 3, buffer }));
    const epochs = [];
    for (let epoch = 0; epoch < 2; epoch++) {
      const seen = await Promise.all(parts.map(collect));
      assert(seen.every((part) => part.length === Math.floor(length / size)));
      assertEquals(new Set(seen.flat()).size, size * Math.floor(length / size));
      epochs.push(seen);
    }
    if (length > 8) assert(String(epochs[0]) !== String(epochs[1]));
    assertEquals(tf.memory().numTensors, numTensors);
    const again = shard(made(), places(size)[0]!, { seed: 3, buffer, epoch: 1 });
    assertEquals(await collect(again), epochs[1]![0]);
    const plain = await Promise.all(places(size).map((place) => collect(shard(made(), place, { shuffle: false }))));
    plain.forEach((part, rank) => assertEquals(part, part.map((_, i) => rank + i * size)));
  });
}

Deno.test("a dataset with fewer elements than ranks is refused by all of them, and nothing is left of it", async () => {
  for (const [length, size] of [[0, 1], [0, 2], [1, 2], [3, 4]] as const) {
    const made = () =>
      tf.data.generator(function* () {
        for (let i = 0; i < length; i++) yield { i: tf.scalar(i) };
      });
    const { numTensors } = tf.memory();
    for (const place of places(size)) {
      const says = `there are too few rows, ${length} for ${size} ranks`;
      await assertRejects(() => collect(shard(made(), place)), RangeError, says);
    }
    assertEquals(tf.memory().numTensors, numTensors);
  }
});

Deno.test("batches of tensors: what fitDataset gets in each epoch", async () => {
  const data = { xs: tf.range(0, 22), ys: tf.range(0, 22).mul(2) }, options = { batchSize: 4, seed: 1 };
  const batches = places(2).map((place) => shardBatches(data, place, options)), orders = new Set<string>();
  for (let epoch = 0; epoch < 2; epoch++) {
    const sizes: number[] = [], seen: number[] = [];
    for (const dataset of batches) {
      await dataset.forEachAsync((batch) => {
        const { xs, ys } = batch as typeof data;
        assertEquals([...ys.dataSync()], [...xs.dataSync()].map((x) => 2 * x));
        sizes.push(xs.size), seen.push(...xs.dataSync());
      });
    }
    assertEquals(sizes, [4, 4, 3, 4, 4, 3]);
    assertEquals(sorted(seen), sorted(Array(22).keys()));
    orders.add(seen.join());
  }
  assertEquals(orders.size, 2);
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  const columns = { xs: data.xs.reshape([22, 1]), ys: data.ys.reshape([22, 1]) };
  const { epoch } = await model.fitDataset(shardBatches(columns, places(2)[0]!, options), { epochs: 3, verbose: 0 });
  assertEquals(epoch, [0, 1, 2]);
});
