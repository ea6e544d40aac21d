import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { setUp } from "@gradwire/tfjs/wasm";

const { layers } = tf;
const bodies: Record<string, readonly [string, tf.layers.Layer[]]> = {
  embedding: ["UnsortedSegmentSum", [
    layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 4 }),
    layers.flatten(),
  ]],
  convolution: ["Conv2DBackpropFilter", [
    layers.reshape({ targetShape: [4, 1], inputShape: [4] }),
    layers.conv1d({ filters: 2, kernelSize: 2 }),
    layers.flatten(),
  ]],
};

for (const [name, [kernel, body]] of Object.entries(bodies)) {
  Deno.test(`wasm: training a layer of kind ${name} names what is missing and who has it`, async () => {
    await setUp();
    const model = tf.sequential({ layers: [...body, layers.dense({ units: 1 })] });
    model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
    const { message } = await assertRejects(
      () => model.fit(tf.ones([8, 4]), tf.ones([8, 1]), { verbose: 0 }),
      Error,
      `Cannot run ${kernel} on the wasm backend: it has no such kernel, which the gradient of ${name}`,
    );
    assertEquals(message.includes('"cpu"'), true, message);
  });
}

Deno.test("wasm: no kernel of the cpu backend is missing without a word", async () => {
  await setUp();
  const names = (backend: string) => tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName);
  const wasm = new Set(names("wasm"));
  // Draw paints on a canvas, which needs a page.
  assertEquals(names("cpu").filter((name) => !wasm.has(name)), ["Draw"]);
});
