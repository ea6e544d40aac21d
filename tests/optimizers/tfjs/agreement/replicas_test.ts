import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  DistributedOptimizer,
  type DistributedOptimizerOptions,
  parseMethod,
  shard,
  shardBatches,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

function ranksOf(size: number, inner: () => tf.Optimizer, options: Partial<DistributedOptimizerOptions> = {}) {
  return memory(size).map((transport) => {
    const group = collective(transport, { timeout: 20_000 }),
      w = tf.variable(tf.ones([4])),
      b = tf.variable(tf.scalar(1));
    const optimizer = new DistributedOptimizer(inner(), { method: average(), group, ...options });
    const loss = () => w.sub(group.rank).square().sum().add(b.square()).asScalar();
    return { group, w, b, optimizer, step: () => optimizer.minimizeAsync(loss, false, [w, b]) };
  });
}

type Ranks = ReturnType<typeof ranksOf>;

/** A step that all ranks must refuse with this text, weights untouched; then, once mended, the ranks go on. */
async function refused(ranks: Ranks, text: RegExp, mend: () => void): Promise<void> {
  const weights = () => ranks.map(({ w, b }) => weightsDigest([w, b])), before = weights();
  const steps = ranks.map(({ optimizer }) => optimizer.iterations);
  for (const result of await Promise.allSettled(ranks.map(({ step }) => step()))) {
    assertEquals(result.status, "rejected");
    const { message } = (result as PromiseRejectedResult).reason;
    assert(text.test(message), message);
  }
  assertEquals(weights(), before);
  assertEquals(ranks.map(({ optimizer }) => optimizer.iterations), steps);
  mend();
  await Promise.all(ranks.map(({ step }) => step()));
}

const close = async (ranks: { group: Collective }[]) => {
  for (const { group } of ranks) await group[Symbol.asyncDispose]();
};

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

Deno.test("several optimizers over one group: interleaved alike they train, else all ranks refuse by name", async () => {
  const ranks = memory(2).map((transport) => {
    const group = collective(transport, { timeout: 20_000 });
    const make = () => {
      const w = tf.variable(tf.scalar(1)),
        optimizer = new DistributedOptimizer(tf.train.sgd(0.1), { method: average(), group });
      return { w, step: () => optimizer.minimizeAsync(() => w.square().asScalar(), false, [w]) };
    };
    return { group, first: make(), second: make() };
  });
  for (let s = 0; s < 2; s++) {
    await Promise.all(ranks.map(({ first }) => first.step()));
    await Promise.all(ranks.map(({ second }) => second.step()));
  }
  const mixed =
    (await Promise.allSettled([ranks[0]!.first.step(), ranks[1]!.second.step()])) as PromiseRejectedResult[];
  assert(
    mixed[0]!.reason.message.startsWith(
      "Cannot take step 2: rank 1 is in a step of optimizer 2 of this group, this rank of optimizer 1",
    ),
  );
  assert(mixed[1]!.reason.message.startsWith("Cannot take step 2: rank 0 is in a step of optimizer 1"));
  await Promise.all(ranks.map(({ first }) => first.step()));
  await close(ranks);
  // Before the first steps too.
  const fresh = memory(2).map((transport) => {
    const group = collective(transport, { timeout: 20_000 }), w = tf.variable(tf.scalar(1));
    const both = [1, 2].map(() => new DistributedOptimizer(tf.train.sgd(0.1), { method: average(), group }));
    return { group, step: () => both[group.rank]!.minimizeAsync(() => w.square().asScalar(), false, [w]) };
  });
  for (const result of await Promise.allSettled(fresh.map(({ step }) => step()))) {
    assert(
      result.status === "rejected" && result.reason.message.includes('rank 1 has "number 2 of this group"'),
      String(result),
    );
  }
  await close(fresh);
});

Deno.test("data that each rank has shuffled by itself before shard are refused on all ranks by name", async () => {
  const rows = 500, xs = Float32Array.from({ length: rows }, (_, i) => i);
  const shuffled = (by: number) => xs.map((_, i) => xs[(i * by) % rows]!);
  for (
    const share of [
      (group: Collective, by: number) => void shard(shuffled(by), group),
      (group: Collective, by: number) => void shard({ xs: tf.tensor1d(shuffled(by)), ys: tf.zeros([rows]) }, group),
      (group: Collective, by: number) =>
        void shard(Array.from(shuffled(by), (x) => ({ x, name: `${x}` })), group, { epoch: 2 }),
      (group: Collective, by: number) => void shardBatches({ xs: tf.tensor1d(shuffled(by)) }, group, { batchSize: 4 }),
    ]
  ) {
    for (const alike of [true, false]) {
      for (const early of [true, false]) {
        const ranks = ranksOf(2, () => tf.train.sgd(0.1));
        if (!early) await Promise.all(ranks.map(({ step }) => step()));
        for (const { group } of ranks) share(group, alike || group.rank === 0 ? 3 : 7);
        const results = await Promise.allSettled(ranks.map(({ step }) => step()));
        for (const result of results) {
          assertEquals(result.status, alike ? "fulfilled" : "rejected");
          if (result.status !== "rejected") continue;
          const { message } = result.reason;
          assert(
            /the data given to shard differs: rank 0 has "500 rows.*Shard shuffles by itself, by a seed/.test(message),
            message,
          );
        }
        await close(ranks);
      }
    }
  }
  // Another seed or epoch on one rank makes parts overlap too.
  for (const options of [{ seed: 1 }, { epoch: 1 }, { shuffle: false }]) {
    const ranks = ranksOf(2, () => tf.train.sgd(0.1));
    for (const { group } of ranks) shard(xs, group, group.rank === 0 ? {} : options);
    for (const { status } of await Promise.allSettled(ranks.map(({ step }) => step()))) {
      assertEquals(status, "rejected");
    }
    await close(ranks);
  }
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
