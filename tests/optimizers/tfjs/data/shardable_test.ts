import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  isDataset,
  requirePlace,
  requireRows,
  requireShardable,
  rowsOf,
  select,
} from "../../../../optimizers/tfjs/data/shardable.ts";

await tf.setBackend("cpu");

Deno.test("rows are counted and picked in every structure, and tensors are new ones", () => {
  const xs = tf.tensor2d([[1, 2], [3, 4], [5, 6]]), words = ["a", "b", "c"], numbers = Float32Array.of(7, 8, 9);
  const data = { xs, words, numbers }, before = tf.memory().numTensors;
  assertEquals([rowsOf(data), rowsOf(xs), rowsOf(words), rowsOf(numbers), rowsOf([])], [3, 3, 3, 3, 0]);
  assertThrows(() => rowsOf({ a: [1], b: [1, 2] }), RangeError, "a has 1 rows, b has 2");
  const picked = select(data, Int32Array.of(2, 0)) as typeof data;
  assertEquals(picked.xs.arraySync(), [[5, 6], [1, 2]]);
  assertEquals([picked.words, [...picked.numbers]], [["c", "a"], [9, 7]]);
  assert(picked.numbers instanceof Float32Array);
  assertEquals(tf.memory().numTensors, before + 1);
});

Deno.test("places, rows and data that cannot be shared out are refused", () => {
  requirePlace({ rank: 1, size: 2 }), requireRows(2, { rank: 0, size: 2 }), requireShardable([1]);
  const dataset = tf.data.array([1]);
  assert(isDataset(dataset) && !isDataset([1]));
  requireShardable(dataset, isDataset);
  assertThrows(() => requireShardable(dataset), TypeError, "the data are ");
  for (const [rank, size] of [[-1, 2], [0.5, 2], [0, 0], [2, 2]] as const) {
    assertThrows(() => requirePlace({ rank, size }), RangeError, `rank is ${rank} of ${size}`);
  }
  assertThrows(() => requirePlace(tf.zeros([2]) as never), TypeError, "expected the group, or { rank, size }");
  assertThrows(() => requireRows(1, { rank: 0, size: 2 }), RangeError, "too few rows, 1 for 2 ranks");
  const gone = tf.zeros([2]);
  gone.dispose();
  assertThrows(() => requireShardable({ xs: gone }), TypeError, "xs is disposed of");
});
