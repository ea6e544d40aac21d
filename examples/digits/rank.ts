/** One rank of the digits example: a plain tfjs script whose optimizer is wrapped. @module */

import * as tf from "@tensorflow/tfjs";
import "../../wasm/mod.ts";
import { DistributedOptimizer, shardIndices, weightsDigest } from "../../optimizers/mod.ts";
import { connect } from "../../transport/mod.ts";
import { launchArgs } from "../../transport/launch/mod.ts";
import { type DigitsFigures, type DigitsOptions, makeMethod } from "./digits_options.ts";
import { type Digits, loadDigits, normalize, PIXELS } from "./mnist.ts";
import { digitsModel } from "./model.ts";
import { progress } from "../terminal/progress.ts";
import { digits, table } from "../terminal/table.ts";

const options: DigitsOptions = JSON.parse(launchArgs()[0]!);
const { epochs, batch, seed, rate, backend } = options;

await tf.setBackend(backend);
using group = await connect();
const { train, test } = await loadDigits({ train: options.digits });
const model = digitsModel(seed);
const inner = options.optimizer === "adam"
  ? tf.train.adam(rate)
  : options.optimizer === "sgd"
  ? tf.train.sgd(rate)
  : tf.train.momentum(rate, .9);
model.compile({
  optimizer: new DistributedOptimizer(inner, { method: makeMethod(options), group, seed, dataLoss }),
  loss: "categoricalCrossentropy",
});

let part: [tf.Tensor2D, tf.Tensor2D] | undefined;
const { size } = group, parameters = model.countParams();
const steps = Math.ceil(Math.floor(train.labels.length / size) / batch);
const bar = group.rank === 0
  ? progress(epochs * steps, [
    "{value}/{total}",
    "loss {loss}",
    `{bytes} of ${4 * parameters} B/step, {ratio} ×`,
    "epoch {epoch}",
    "{speed} images/s",
  ])
  : undefined;
const start = performance.now();
for (let epoch = 0; epoch < epochs; epoch++) {
  // This rank's part of the digits, in the order of this epoch.
  const [x, y] = part = tensors(train, shardIndices(train.labels.length, group, { seed, epoch }));
  await model.fit(x, y, {
    batchSize: batch,
    epochs: epoch + 1,
    initialEpoch: epoch,
    shuffle: false,
    callbacks: {
      onBatchEnd: (step, logs): void => {
        const done = epoch * steps + step + 1, seconds = (performance.now() - start) / 1000;
        const bytes = group.traffic.encodedBytes / done;
        bar?.update(done, {
          epoch: String(epoch + 1),
          loss: logs!.loss!.toFixed(3),
          speed: digits(Math.min(done * batch * size, (epoch + 1) * train.labels.length) / seconds, 3),
          bytes: String(Math.round(bytes)),
          ratio: bytes > 0 ? digits(4 * parameters / bytes, 2) : "–",
        });
      },
    },
  });
  tf.dispose([x, y]);
}
bar?.stop();
const seconds = (performance.now() - start) / 1000;
const { encodedBytes, sentBytes } = group.traffic;

// Every rank's weights, by their digests; the accuracy of one of them then is the accuracy of all.
const digests = group.perform({ op: "allGather", message: new TextEncoder().encode(weightsDigest(model)) })
  .map((message) => new TextDecoder().decode(message.slice()));
if (group.rank === 0) {
  report({
    accuracy: accuracy(test),
    seconds,
    steps: epochs * steps,
    floatBytes: 4 * parameters * epochs * steps,
    encodedBytes,
    sentBytes,
    digests,
  });
}

function report(figures: DigitsFigures): void {
  const { accuracy, seconds, steps, floatBytes, encodedBytes, sentBytes, digests } = figures;
  const count = (n: number) => n.toLocaleString("en");
  const rows = [
    ["test accuracy", `${(100 * accuracy).toFixed(2)} %`],
    ["seconds", seconds.toFixed(1)],
    ["steps", count(steps)],
    ["bytes per rank as 32-bit floats", count(floatBytes)],
    ["bytes encoded per rank", count(encodedBytes)],
    ["bytes sent per rank", count(sentBytes)],
    ["ratio of floats to encoded", encodedBytes > 0 ? (floatBytes / encodedBytes).toFixed(1) : "–"],
    ...digests.map((digest, rank) => [`weights of rank ${rank}`, digest]),
  ];
  console.log("\n" + table(["result", `${size} ranks`], rows));
  if (options.json !== undefined) Deno.writeTextFileSync(options.json, JSON.stringify(figures));
  const distinct = new Set(digests).size;
  if (distinct > 1 && options.method !== "none") {
    throw new Error(`Cannot trust the run: the ranks' weights have ${distinct} digests, expected 1`);
  }
}

/** What variance reduction asks for: the loss on this rank's part of the epoch, or on one batch of it. */
function dataLoss(term?: number): tf.Scalar {
  const [x, y] = part!, count = y.shape[0], from = term === undefined ? 0 : term * batch;
  const size = term === undefined ? count : Math.min(batch, count - from);
  const guesses = model.apply(x.slice(from, size)) as tf.Tensor;
  return tf.metrics.categoricalCrossentropy(y.slice(from, size), guesses).mean().asScalar();
}

function tensors({ images, labels }: Digits, rows: Int32Array): [tf.Tensor2D, tf.Tensor2D] {
  const pixels = new Uint8Array(rows.length * PIXELS), classes = new Float32Array(rows.length * 10);
  rows.forEach((row, i) => {
    pixels.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
    classes[10 * i + labels[row]!] = 1;
  });
  return [tf.tensor2d(normalize(pixels), [rows.length, PIXELS]), tf.tensor2d(classes, [rows.length, 10])];
}

/** The share of digits that the network tells right. */
function accuracy({ images, labels }: Digits): number {
  return tf.tidy(() => {
    const guesses = (model.predict(tf.tensor2d(normalize(images), [labels.length, PIXELS])) as tf.Tensor).argMax(1)
      .dataSync();
    return labels.reduce((right, label, i) => right + Number(guesses[i] === label), 0) / labels.length;
  });
}
