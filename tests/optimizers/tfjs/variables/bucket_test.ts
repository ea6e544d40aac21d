import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { Bucket, describeMethod, layoutDigest, layoutOf, weightsDigest } from "../../../../optimizers/mod.ts";
import { digest } from "../../../../optimizers/files/digest.ts";

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

Deno.test("a digest changes with every bit and with the length, and its value is pinned", () => {
  const bytes = Uint8Array.from({ length: 9 }, (_, i) => 37 * i + 1);
  const seen = new Set([digest().bytes(bytes).hex()]);
  for (let length = 0; length < bytes.length; length++) seen.add(digest().bytes(bytes.subarray(0, length)).hex());
  for (let bit = 0; bit < 72; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    seen.add(digest().bytes(flipped).hex());
  }
  for (let length = 1; length < 9; length++) seen.add(digest().bytes(new Uint8Array(length)).hex());
  assertEquals(seen.size, 1 + 9 + 72 + 8);
  assertEquals(new Set([...seen].map((hex) => hex.slice(0, 8))).size, seen.size);
  assertEquals(new Set([...seen].map((hex) => hex.slice(8))).size, seen.size);
  const shifted = new Uint8Array(12);
  shifted.set(bytes, 3);
  assertEquals(digest().bytes(shifted.subarray(3)).hex(), digest().bytes(bytes).hex());
  assertEquals(digest().text("Gradwire").hex(), "c2f9a4b0ead51ea7");
});

Deno.test("weightsDigest tells values, shapes and order apart", () => {
  const variables = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([3]))];
  const same = variables.map((variable) => tf.variable(variable.clone()));
  assertEquals(weightsDigest(variables), weightsDigest(same));
  assertNotEquals(weightsDigest(variables), weightsDigest([...same].reverse()));
  assertNotEquals(weightsDigest(variables), weightsDigest([tf.variable(tf.tensor1d([1, 2, 3]))]));
  same[0]!.assign(tf.tensor1d([1, 2.0000002384185791]));
  assertNotEquals(weightsDigest(variables), weightsDigest(same));
  const model = tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [2] })] });
  const before = weightsDigest(model);
  (model.weights[3]!.read() as tf.Variable).assign(tf.tensor1d([1, 5]));
  assertNotEquals(weightsDigest(model), before);
});

Deno.test("describeMethod writes options and what they are made of", () => {
  const inner = { name: "topK", options: { k: 3, by: "size" } };
  assertEquals(
    describeMethod({
      name: "m",
      options: { inner, list: [1, true], choose: () => inner, nothing: undefined, at: { x: 1 } },
    }),
    'm({ inner: topK({ k: 3, by: "size" }), list: [1, true], choose: function, at: { x: 1 } })',
  );
});
