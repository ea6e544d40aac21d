import { assertEquals } from "@std/assert/mod.js";
import { heapBytes, tf } from "./stock.ts";

Deno.test("kernels: take tensors that were made on another backend", async () => {
  // So much that bringing it over grows the memory of the wasm backend.
  const rows = Math.ceil(1.2 * heapBytes() / 4000);
  await tf.setBackend("cpu");
  const x = tf.fill<tf.Rank.R2>([rows, 1000], 4),
    ones = tf.ones<tf.Rank.R2>([1, 1000]),
    index = tf.tensor1d([rows - 1], "int32");
  await tf.setBackend("wasm");
  tf.tidy(() => {
    const row = x.gather(index);
    assertEquals(row.dataSync(), new Float32Array(1000).fill(4));
    assertEquals(row.sqrt().matMul(ones, false, true).dataSync(), Float32Array.of(2000));
  });
  tf.dispose([x, ones, index]);
});
