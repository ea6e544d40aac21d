import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { topK } from "../../../../compressors/mod.ts";
import {
  DistributedOptimizer,
  errorFeedback,
  type Method,
  parseMethod,
  restoreCheckpoint,
  saveCheckpoint,
  skipSmall,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../../../transport/mod.ts";
import { methodOf, methods } from "../../all_methods.ts";

await tf.setBackend("cpu");

/** The layout of the network below. */
const layout = { names: ["a", "b", "c", "d"], shapes: [[4, 6], [6], [6, 1], [1]], size: 37 };

function trainee(group: Collective, text: string | Method, rate: number) {
  const kernelInitializer = tf.initializers.glorotNormal({ seed: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [4], units: 6, activation: "tanh", kernelInitializer }),
      tf.layers.dense({ units: 1, kernelInitializer }),
    ],
  });
  const optimizer = new DistributedOptimizer(tf.train.sgd(rate), {
    method: typeof text === "string" ? parseMethod(text) : text,
    group,
    seed: 5,
  });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const xs = tf.randomNormal([16, 4], 0, 1, "float32", 1 + group.rank), ys = xs.sum(1, true).tanh();
  const loss = () => tf.losses.meanSquaredError(ys, model.predict(xs) as tf.Tensor).asScalar();
  const step = async () => {
    const value = (await optimizer.minimizeAsync(loss, true, variables))!, [number] = value.dataSync();
    value.dispose();
    return number!;
  };
  return { model, optimizer, step };
}

/** A step of all ranks: the mean loss. */
async function together(ranks: readonly ReturnType<typeof trainee>[], steps: number): Promise<number> {
  let mean = 0;
  for (let i = 0; i < steps; i++) {
    const losses = await Promise.all(ranks.map(({ step }) => step()));
    mean = losses.reduce((sum, loss) => sum + loss / ranks.length, 0);
  }
  return mean;
}

for (const { text, rate } of methods) {
  if (rate === undefined) continue;
  Deno.test(`${text} trains a network: replicas bit-identical, nothing leaked, resumed with the same bits`, async () => {
    const make = () => memory(3).map((transport) => trainee(collective(transport), methodOf(text, layout), rate));
    const ranks = make(), first = await together(ranks, 3), { numTensors } = tf.memory();
    const middle = await together(ranks, 30);
    assertEquals(tf.memory().numTensors, numTensors);
    const files = ranks.map(({ optimizer, model }) => saveCheckpoint(optimizer, model)),
      last = await together(ranks, 9);
    assert(middle < 0.8 * first && last < middle, `loss ${first}, ${middle}, ${last}`);
    const digests = ranks.map(({ model }) => weightsDigest(model));
    assertEquals(new Set(digests).size, 1);
    const resumed = make();
    resumed.forEach(({ optimizer, model }, rank) => restoreCheckpoint(optimizer, files[rank]!, model));
    assertEquals(await together(resumed, 9), last);
    assertEquals(resumed.map(({ model }) => weightsDigest(model)), digests);
  });
}

Deno.test("a method that asks for the gradient of all data says that a step knows only its batch", async () => {
  for (const size of [1, 2]) { // alone as among others
    const ranks = memory(size).map((transport) =>
      trainee(collective(transport), "vrDiana(naturalCompression, { terms: 16 })", 0.1)
    );
    await Promise.all(
      ranks.map(({ step }) => assertRejects(step, TypeError, "that of all data, and a step knows only its batch")),
    );
  }
});

Deno.test("vrDiana and marina take gradients of all data and of single terms from dataLoss, and refuse to do without", async () => {
  for (
    const text of [
      "vrDiana(naturalCompression, { terms: 4 })",
      "vrDiana(naturalCompression, { terms: 4, form: 'table' })",
      "marina(naturalCompression, { dense: 'all' })",
    ]
  ) {
    const make = (complete: boolean) =>
      memory(2).map((transport) => {
        const group = collective(transport), w = tf.variable(tf.zeros([3]));
        const xs = tf.randomNormal([8, 3], 0, 1, "float32", 1 + group.rank), ys = xs.sum(1);
        const lossOf = (from: number, count: number) =>
          tf.losses.meanSquaredError(ys.slice(from, count), xs.slice([from, 0], [count, 3]).mul(w).sum(1)).asScalar();
        const options = { method: parseMethod(text), group };
        const dataLoss = (term?: number) => term === undefined ? lossOf(0, 8) : lossOf(2 * term, 2);
        const optimizer = new DistributedOptimizer(tf.train.sgd(0.05), complete ? { ...options, dataLoss } : options);
        return { w, step: (t: number) => optimizer.minimizeAsync(() => lossOf(2 * (t % 4), 2), false, [w]) };
      });
    const ranks = make(true);
    let tensors = 0;
    for (let t = 0; t < 400; t++) {
      await Promise.all(ranks.map(({ step }) => step(t)));
      if (t === 2) tensors = tf.memory().numTensors;
    }
    assertEquals(tf.memory().numTensors, tensors);
    for (const { w } of ranks) assert(w.dataSync().every((v) => Math.abs(v - 1) < 1e-3), `${text}: ${w.dataSync()}`);
    assertEquals(ranks[0]!.w.dataSync(), ranks[1]!.w.dataSync());
    await assertRejects(() => Promise.all(make(false).map(({ step }) => step(0))), TypeError, "Pass dataLoss");
  }
});

Deno.test("methods by layer train a network, and ranks that choose differently are refused", async () => {
  const sparse = (k: number) => skipSmall(layout, errorFeedback(topK({ k })), { below: 10 });
  const ranks = memory(3).map((transport) => trainee(collective(transport), sparse(6), 0.05));
  const first = await together(ranks, 1), last = await together(ranks, 40);
  assert(last < 0.7 * first, `loss ${first}, ${last}`);
  assertEquals(new Set(ranks.map(({ model }) => weightsDigest(model))).size, 1);
  const odd = memory(2).map((transport, rank) => trainee(collective(transport), sparse(5 + rank), 0.05));
  await Promise.all(odd.map(({ step }) => assertRejects(step, Error, "k differs: rank 0 has 5, rank 1 has 6")));
});

Deno.test("ranks of a local method exchange nothing between their rounds, not even that they are there", async () => {
  const groups = memory(2).map((transport) => collective(transport));
  const ranks = groups.map((group) => trainee(group, "localSgd({ every: 4 })", 0.05));
  const rounds: number[] = [];
  for (let step = 0; step < 8; step++) {
    await together(ranks, 1);
    rounds.push(groups[0]!.traffic.rounds);
  }
  // Comparison and weights before the first step; then, every four steps, the opening, the mean movement and the vote.
  assertEquals(rounds, [2, 2, 2, 5, 5, 5, 5, 8]);
});

Deno.test("a gradient that is not finite between two rounds is left out and reported by all ranks when they meet", async () => {
  for (const nonFinite of ["throw", "skip"] as const) {
    const ranks = memory(2).map((transport) => {
      const group = collective(transport), w = tf.variable(tf.scalar(1));
      const options = { method: parseMethod("localSgd({ every: 3 })"), group, nonFinite };
      return { w, rank: group.rank, optimizer: new DistributedOptimizer(tf.train.sgd(0.1), options) };
    });
    const step = (factor: number) =>
      Promise.all(ranks.map(async ({ w, rank, optimizer }) => {
        await optimizer.minimizeAsync(() => w.mul(rank === 1 ? factor : 1).asScalar(), false, [w]);
        return w.dataSync()[0]!;
      }));
    assertEquals((await step(1)).map((v) => Math.round(10 * v)), [9, 9]);
    assertEquals((await step(NaN)).map((v) => Math.round(10 * v)), [8, 9]);
    if (nonFinite === "throw") await assertRejects(() => step(1), RangeError, "on rank 1 is not finite");
    else assertEquals((await step(1)).map((v) => Math.round(100 * v)), [75, 75]);
  }
});
