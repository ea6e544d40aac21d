import { assert, assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { parseMethod } from "../../../../optimizers/mod.ts";
import { close, ranksOf, refused } from "./drifting.ts";

await tf.setBackend("cpu");

const flip = (variable: tf.Variable) => {
  const values = variable.dataSync().slice(), words = new Uint32Array(values.buffer);
  words[0]! ^= 1; // the last bit
  variable.assign(tf.tensor(values as Float32Array, variable.shape));
};

Deno.test("a bit of a weight that differs is found in the next comparison, and named", async () => {
  const ranks = ranksOf(3, () => tf.train.sgd(0.125), { verify: 3 });
  for (let s = 0; s < 2; s++) await Promise.all(ranks.map(({ step }) => step()));
  flip(ranks[2]!.w);
  const text = new RegExp(
    `^Cannot take step 2: variable 0 \\(.+\\) differs: ranks 0, 1 have "[0-9a-f]{16}", rank 2 has "[0-9a-f]{16}"`,
  );
  await refused(ranks, text, () => ranks[2]!.w.assign(ranks[0]!.w));
  await close(ranks);
});

Deno.test("a bit of a slot that differs is found and named; verify: 0 never looks", async () => {
  for (const verify of [1, 4, 0]) {
    const inners = [0, 1].map(() => tf.train.adam(0.1)), left = [...inners];
    const ranks = ranksOf(2, () => left.shift()!, { verify });
    for (let s = 0; s < 3; s++) await Promise.all(ranks.map(({ step }) => step()));
    const moments = inners.map((inner) =>
      (inner as unknown as { accumulatedSecondMoment: { variable: tf.Variable }[] }).accumulatedSecondMoment
    );
    flip(moments[1]![0]!.variable);
    if (verify === 0) await Promise.all(ranks.map(({ step }) => step()));
    else {
      const text =
        /^Cannot take step 3: the inner optimizer's slot accumulatedSecondMoment\.0 differs|^Cannot take step 3: variable 0/;
      await refused(ranks, text, () => moments[1]![0]!.variable.assign(moments[0]![0]!.variable));
    }
    await close(ranks);
  }
});

Deno.test("a method's shared vector that differs is found and named, where the weights are still equal", async () => {
  // With a rate of 0 nothing of it reaches the weights.
  const ranks = ranksOf(2, () => tf.train.sgd(0), { verify: 2, method: parseMethod("diana(randK({ k: 1 }))") });
  await Promise.all(ranks.map(({ step }) => step()));
  const shared = ranks.map(({ optimizer }) => optimizer.getState().shared),
    name = Object.keys(shared[0]!).find((name) => shared[0]![name]!.length > 1)!;
  shared[1]![name]![0]! += 1;
  await refused(
    ranks,
    new RegExp(`the method's shared ${name} differs: rank 0 has`),
    () => shared[1]![name]!.set(shared[0]![name]!),
  );
  await close(ranks);
});

Deno.test("ranks of a local method are compared after their exchanges only, and then they are", async () => {
  for (const verify of [1, 2, 5]) {
    const ranks = ranksOf(2, () => tf.train.sgd(0.1), { verify, method: parseMethod("localSgd({ every: 3 })") });
    for (let s = 0; s < 12; s++) await Promise.all(ranks.map(({ step }) => step()));
    // The anchor is what all ranks share: one that differs gives parameters that differ, which the comparison sees.
    const { shared } = ranks[1]!.optimizer.getState();
    shared["anchor"]![0]! += 1;
    const results: PromiseSettledResult<unknown>[] = [];
    for (let s = 0; s < 6; s++) results.push(...await Promise.allSettled(ranks.map(({ step }) => step())));
    const rejected = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    assert(rejected.length >= 2 && rejected.length % 2 === 0, `${rejected.length} of ${results.length}`);
    // Step 15 ends in the next exchange; since the one before, of step 12, a multiple of each `verify` has passed.
    assertEquals(results.findIndex(({ status }) => status === "rejected"), 4, `verify: ${verify}`);
    assert(rejected[0]!.reason.message.includes("differs"), rejected[0]!.reason.message);
    await close(ranks);
  }
});
