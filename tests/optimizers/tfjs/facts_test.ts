import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, naturalCompression } from "../../../compressors/mod.ts";
import { average, DistributedOptimizer, errorFeedback, weightsDigest } from "../../../optimizers/mod.ts";
import { collective, memory } from "../../../transport/mod.ts";
import { close, ranksOf, refused } from "./agreement/drifting.ts";
import { together } from "./training.ts";

await tf.setBackend("cpu");

Deno.test("ranks that differ are refused before the first step, on every rank, by name", async () => {
  const one = { shape: [2], inner: () => tf.train.sgd(0.5), seed: 1, method: average(), nonFinite: "throw" as const };
  const cases: [Partial<Omit<typeof one, "nonFinite"> & { nonFinite: "throw" | "skip" }>, string][] = [
    [{ shape: [3] }, 'variables.0 differs: ranks 0, 2 have "[2]", rank 1 has "[3]"'],
    [{ shape: [1, 2] }, 'variables.0 differs: ranks 0, 2 have "[2]", rank 1 has "[1, 2]"'],
    [{ seed: 2 }, "seed differs: ranks 0, 2 have 1, rank 1 has 2"],
    [
      { method: errorFeedback(identity()) },
      'method.name differs: ranks 0, 2 have "average", rank 1 has "errorFeedback"',
    ],
    [{ method: average(naturalCompression()) }, "method.options.compressor"],
    [{ nonFinite: "skip" }, 'nonFinite differs: ranks 0, 2 have "throw", rank 1 has "skip"'],
    [{ inner: () => tf.train.sgd(0.25) }, "inner.config.learningRate differs: ranks 0, 2 have 0.5, rank 1 has 0.25"],
    [{ inner: () => tf.train.adam(0.5) as unknown as tf.SGDOptimizer }, "inner.className differs"],
  ];
  for (const [other, why] of cases) {
    const results = await Promise.allSettled(
      together(3).map(async (group) => {
        const { shape, inner, ...options } = { ...one, ...group.rank === 1 ? other : {} };
        const w = tf.variable(tf.ones(shape)), optimizer = new DistributedOptimizer(inner(), { ...options, group });
        await optimizer.minimizeAsync(() => w.square().sum().asScalar(), false, [w]).finally(() => {
          assert(w.dataSync().every((value) => value === 1));
        });
      }),
    );
    for (const result of results) {
      assert(result.status === "rejected" && String(result.reason).includes(why), `${JSON.stringify(result)} ${why}`);
    }
  }
});

for (const [name, inner] of Object.entries({ sgd: () => tf.train.sgd(0.1), adam: () => tf.train.adam(0.1) })) {
  Deno.test(`a learning rate set on one rank only is refused on all ranks by name (${name}); set alike it is fine`, async () => {
    const ranks = ranksOf(3, inner);
    await Promise.all(ranks.map(({ step }) => step()));
    ranks[1]!.optimizer.setLearningRate(0.01);
    const text = /^Cannot take step 1: learning rate differs: ranks 0, 2 have 0\.1, rank 1 has 0\.01\. Let all ranks/;
    await refused(ranks, text, () => ranks[1]!.optimizer.setLearningRate(0.1));
    for (const rate of [0.05, 1e-46, 0, 0.02]) {
      for (const { optimizer } of ranks) optimizer.learningRate = rate;
      await Promise.all(ranks.map(({ step }) => step()));
    }
    assertEquals(new Set(ranks.map(({ w }) => weightsDigest([w]))).size, 1);
    await close(ranks);
  });
}

Deno.test("another option of the inner optimizer changed on one rank is refused by name", async () => {
  const ranks = ranksOf(2, () => tf.train.adam(0.1)), inner = tf.train.adam(0.1);
  const odd = { ...ranks[1]!, ...{ optimizer: ranks[1]!.optimizer } };
  assert(odd && inner);
  await Promise.all(ranks.map(({ step }) => step()));
  await close(ranks);
  const momentum = memory(2).map((transport) => {
    const group = collective(transport, { timeout: 20_000 }),
      w = tf.variable(tf.scalar(1)),
      b = tf.variable(tf.scalar(1));
    const inner = tf.train.momentum(0.1, 0.9),
      optimizer = new DistributedOptimizer(inner, { method: average(), group });
    return {
      group,
      w,
      b,
      inner,
      optimizer,
      step: () => optimizer.minimizeAsync(() => w.mul(b).asScalar(), false, [w, b]),
    };
  });
  await Promise.all(momentum.map(({ step }) => step()));
  const field = momentum[0]!.inner as unknown as { momentum: number };
  field.momentum = 0.5;
  await refused(
    momentum,
    /the inner optimizer\.momentum differs: rank 0 has 0\.5, rank 1 has 0\.9/,
    () => field.momentum = 0.9,
  );
  await close(momentum);
});

Deno.test("variables of one shape that a rank lists in another order are refused by their names", async () => {
  const groups = memory(2).map((transport) => collective(transport));
  const ranks = groups.map((group) => {
    const [kernel, bias] = ["kernel", "bias"].map((name) =>
      tf.variable(tf.ones([3]), true, `ordered${group.rank}/${name}`)
    );
    const optimizer = new DistributedOptimizer(tf.train.sgd(.1), { method: average(), group });
    const variables = group.rank === 0 ? [kernel!, bias!] : [bias!, kernel!];
    const loss = () => kernel!.square().add(bias!).sum().asScalar() as tf.Scalar;
    return () => optimizer.minimizeAsync(loss, false, variables);
  });
  for (const ended of await Promise.allSettled(ranks.map((step) => step()))) {
    if (ended.status !== "rejected") throw new Error("a rank took the step");
    assertStringIncludes(String(ended.reason), "variables' names.0 differs: rank 0 has ");
    assertStringIncludes(String(ended.reason), '"ordered/kernel", rank 1 has "ordered/bias"');
  }
  for (const group of groups) await group[Symbol.asyncDispose]();
});
