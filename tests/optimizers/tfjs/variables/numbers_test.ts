import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { numbersOf } from "../../../../optimizers/tfjs/variables/numbers.ts";
import "../../../../wasm/mod.ts";

Deno.test("a tensor's numbers are its own on each backend, and in the wasm backend's memory they are not copied", async () => {
  for (const backend of ["cpu", "wasm"]) {
    await tf.setBackend(backend);
    const tensor = tf.tensor2d([[1, 2], [3, -0]]), numbers = numbersOf(tensor);
    assertEquals([...numbers], [1, 2, 3, -0]);
    assertEquals(numbers.buffer.byteLength > 1e6, backend === "wasm");
    // A tensor that another backend made is brought over.
    await tf.setBackend(backend === "cpu" ? "wasm" : "cpu");
    assertEquals([...numbersOf(tensor)], [1, 2, 3, -0]);
  }
});
