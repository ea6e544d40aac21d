import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { describeMethod } from "../../../optimizers/mod.ts";

await tf.setBackend("cpu");

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
