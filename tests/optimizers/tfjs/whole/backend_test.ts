import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import "../../../../wasm/mod.ts";
import { identity } from "../../../../compressors/mod.ts";
import { DistributedOptimizer, errorFeedback, weightsDigest } from "../../../../optimizers/mod.ts";
import { collective, memory } from "../../../../transport/mod.ts";

// The wasm backend copies on reading and writing where the cpu backend shares memory.
Deno.test("on the wasm backend replicas are bit-identical, and neither tensors nor wasm memory grow", async () => {
  await tf.setBackend("wasm");
  const ranks = memory(2).map((transport) => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ inputShape: [64], units: 32, activation: "relu" }), tf.layers.dense({ units: 4 })],
    });
    const xs = tf.randomNormal([16, 64], 0, 1, "float32", 1 + transport.rank), ys = xs.slice([0, 0], [16, 4]);
    const optimizer = new DistributedOptimizer(tf.train.adam(), {
      method: errorFeedback(identity()),
      group: collective(transport),
    });
    const loss = () => tf.losses.meanSquaredError(ys, model.predict(xs) as tf.Tensor).asScalar();
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    return { model, step: () => optimizer.minimizeAsync(loss, false, variables) };
  });
  const step = () => Promise.all(ranks.map(({ step }) => step()));
  for (let i = 0; i < 20; i++) await step();
  const heap = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
  const { numTensors } = tf.memory(), before = heap();
  for (let i = 0; i < 200; i++) await step();
  assertEquals([tf.memory().numTensors, heap()], [numTensors, before]);
  const digests = ranks.map(({ model }) => weightsDigest(model));
  assertEquals(digests[0], digests[1]);
});
