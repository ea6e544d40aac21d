/**
 * What `DistributedOptimizer` costs a step of the digits network (784-128-10, Adam, batches of 64) on the wasm backend:
 * the inner optimizer alone, in a group of one, and between two ranks that agree and need not wait, which is the
 * wrapper's and the method's own work. All three must end with the same weights, bit for bit.
 *
 * `deno run --allow-read --allow-env benches/optimizers_bench.ts`
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import "../wasm/mod.ts";
import { average, DistributedOptimizer, weightsDigest } from "../optimizers/mod.ts";
import { fold, type Key, key, uniform } from "../random.ts";
import { alone, type BlockingCollective } from "../transport/mod.ts";

await main();

async function main(): Promise<void> {
  await tf.setBackend("wasm");
  const distributed = (group: BlockingCollective) =>
    new DistributedOptimizer(tf.train.adam(), { method: average(), group });
  const trainees = {
    "inner optimizer": trainee(tf.train.adam()),
    "group of one": trainee(distributed(alone())),
    "two ranks": trainee(distributed(agreeing())),
  };
  const times = Object.values(trainees).map((): number[] => []);
  // In turns, so that all meet the same load; in an order that changes, so that none always follows the same other.
  const steps = Object.values(trainees), rounds = Deno.args.includes("--quick") ? 60 : 400;
  for (let round = 0; round < rounds; round++) {
    for (const i of order(fold(key(1), round))) {
      const start = performance.now();
      await steps[i]!.step();
      times[i]!.push(performance.now() - start);
    }
  }
  const digests = steps.map(({ model }) => weightsDigest(model));
  if (new Set(digests).size !== 1) throw new Error(`The weights differ: ${digests}`);
  console.log("                    ms/step   to the inner optimizer");
  Object.keys(trainees).forEach((name, i) => {
    const more = 100 * (median(times[i]!.map((time, round) => time / times[0]![round]!)) - 1);
    console.log(`${name.padEnd(17)}${median(times[i]!).toFixed(3).padStart(10)}${`${more.toFixed(1)} %`.padStart(12)}`);
  });
  console.log(`weights equal, bit for bit: ${digests[0]}`);
}

function trainee(optimizer: tf.Optimizer): { model: tf.LayersModel; step(): Promise<unknown> } {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [784], units: 128, activation: "relu", kernelInitializer }),
      tf.layers.dense({ units: 10, activation: "softmax", kernelInitializer }),
    ],
  });
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  const xs = tf.randomUniform([64, 784], 0, 1, "float32", 2);
  const ys = tf.oneHot(xs.slice([0, 0], [64, 10]).argMax(1), 10).toFloat();
  return { model, step: () => model.trainOnBatch(xs, ys) };
}

/** Two ranks of which the other says what this one says. */
function agreeing(): BlockingCollective {
  return {
    rank: 0,
    size: 2,
    traffic: { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 },
    perform(round) {
      if (round.op === "allReduce") { for (let i = 0, { vector } = round; i < vector.length; i++) vector[i]! *= 2; }
      return round.op === "allGather" ? [round.message, round.message] : "message" in round ? [round.message] : [];
    },
    [Symbol.dispose]: () => {},
  };
}

/** 0, 1, 2 in a random order. */
function order(key: Key): readonly number[] {
  const u = uniform(key, new Float32Array(3));
  return [0, 1, 2].sort((a, b) => u[a]! - u[b]!);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
