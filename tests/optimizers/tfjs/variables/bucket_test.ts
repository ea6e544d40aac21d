import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { Bucket, layoutDigest, layoutOf } from "../../../../optimizers/mod.ts";

await tf.setBackend("cpu");

const layout = layoutOf([{ name: "a", shape: [2, 2] }, { name: "b", shape: [] }, { name: "c", shape: [0] }, {
  name: "d",
  shape: [3],
}]);

Deno.test("a bucket lays tensors out one after the other, missing ones as zeros, and back", () => {
  const bucket = new Bucket(layout), { vector } = bucket;
  assertEquals([layout.size, bucket.offsets], [8, [0, 4, 5, 5, 8]]);
  vector.fill(9);
  const flat = bucket.gather([tf.tensor2d([[1, 2], [3, 4]]), null, tf.tensor1d([]), tf.tensor1d([5, 6, 7])]);
  assert(flat === vector);
  assertEquals([...vector], [1, 2, 3, 4, 0, 5, 6, 7]);
  assertEquals(bucket.tensor(0).arraySync(), [[1, 2], [3, 4]]);
  assertEquals(bucket.tensor(1).arraySync(), 0);
  assertEquals(bucket.tensor(3, new Float32Array(8).fill(2)).arraySync(), [2, 2, 2]);
  const elsewhere = new Float32Array(8);
  bucket.gather([undefined, tf.scalar(1), undefined, undefined], elsewhere);
  assertEquals([...elsewhere], [0, 0, 0, 0, 1, 0, 0, 0]);
  assertEquals(vector[0], 1);
});

Deno.test("a bucket refuses what does not fit, by name", () => {
  const bucket = new Bucket(layout);
  assertThrows(() => bucket.gather([]), RangeError, "Cannot gather 0 tensors: the bucket holds 4");
  const wrong = [null, tf.tensor1d([1, 2]), null, null];
  assertThrows(() => bucket.gather(wrong), RangeError, "variable 1 (b): the tensor is float32 of shape [2]");
  const whole = [null, tf.scalar(1, "int32"), null, null];
  assertThrows(() => bucket.gather(whole), RangeError, "the tensor is int32");
});

Deno.test("a bucket finds the first variable that is not finite", () => {
  const bucket = new Bucket(layout);
  assertEquals(bucket.firstNonFinite(), -1);
  bucket.vector.fill(3e38);
  assertEquals(bucket.firstNonFinite(), -1);
  for (const [at, variable] of [[7, 3], [5, 3], [4, 1], [3, 0], [0, 0]] as const) {
    for (const value of [NaN, Infinity, -Infinity]) {
      bucket.vector[at] = value;
      assertEquals(bucket.firstNonFinite(), variable);
    }
  }
});

Deno.test("a bucket knows which variables are all zeros", () => {
  const bucket = new Bucket(layout), zero = () => layout.names.map((_, i) => bucket.isZero(i));
  assertEquals(zero(), [true, true, true, true]);
  bucket.vector[3] = 1e-45;
  assertEquals(zero(), [false, true, true, true]);
  bucket.vector[7] = -1;
  assertEquals(zero(), [false, true, true, false]);
  bucket.vector.fill(-0);
  assertEquals(zero(), [true, true, true, true]);
});

Deno.test("a layout's digest is that of its shapes, in order", () => {
  const of = (...shapes: number[][]) =>
    layoutDigest(layoutOf(shapes.map((shape, i) => ({ name: `${Math.random()}${i}`, shape }))));
  assertEquals(of([2, 3], [4]), of([2, 3], [4]));
  const others = [
    of([2, 3], [4]),
    of([4], [2, 3]),
    of([3, 2], [4]),
    of([2, 3, 4]),
    of([2, 3], [4], []),
    of([6], [4]),
    of(),
  ];
  assertEquals(new Set(others).size, others.length);
});
