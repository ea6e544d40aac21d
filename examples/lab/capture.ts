/** Real gradients for the laboratory: those of the digits network at some steps of its training. @module */

import * as tf from "@tensorflow/tfjs";
import "../../wasm/mod.ts";
import { choose, fold, key } from "../../random.ts";
import { loadDigits, normalize, PIXELS } from "../digits/mnist.ts";
import { digitsModel } from "../digits/model.ts";
import { writeNpy } from "./npy.ts";
import { progress } from "../terminal/progress.ts";

const STEPS = [1, 100, 1000], BATCH = 64, SEED = 0;

/** Trains for 1 000 steps of Adam and writes gradient1.npy, gradient100.npy and gradient1000.npy to the folder. */
export async function capture(folder: string): Promise<void> {
  await tf.setBackend("wasm");
  await Deno.mkdir(folder, { recursive: true });
  const { train } = await loadDigits({ test: 0 }), count = train.labels.length;
  const model = digitsModel(SEED), optimizer = tf.train.adam(1e-3);
  const bar = progress(STEPS.at(-1)!, "step {value}/{total}, loss {loss}");
  for (let step = 1; step <= STEPS.at(-1)!; step++) {
    const rows = choose(fold(key(SEED), step), BATCH, count);
    const pixels = new Uint8Array(BATCH * PIXELS);
    rows.forEach((row, i) => pixels.set(train.images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS));
    const x = tf.tensor2d(normalize(pixels), [BATCH, PIXELS]);
    const y = tf.oneHot(tf.tensor1d(Int32Array.from(rows, (row) => train.labels[row]!), "int32"), 10);
    const { value, grads } = tf.variableGrads(() =>
      tf.metrics.categoricalCrossentropy(y, model.apply(x) as tf.Tensor).mean().asScalar()
    );
    if (STEPS.includes(step)) {
      const flat = tf.tidy(() => tf.concat(Object.values(grads).map((gradient) => gradient.flatten())).dataSync());
      await Deno.writeFile(`${folder}/gradient${step}.npy`, writeNpy(flat as Float32Array));
    }
    // tfjs's type asks for variables, its code for gradients by name.
    optimizer.applyGradients(grads as unknown as Parameters<typeof optimizer.applyGradients>[0]);
    const loss = value.dataSync()[0]!;
    tf.dispose([x, y, value, grads]);
    bar.update(step, { loss: loss.toFixed(3) });
  }
  bar.stop();
  console.log(`Wrote ${STEPS.map((step) => `${folder}/gradient${step}.npy`).join(", ")}`);
}
