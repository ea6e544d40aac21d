import { assert } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer } from "../../../../optimizers/mod.ts";
import { collective, memory } from "../../../../transport/mod.ts";
import { close } from "./drifting.ts";

await tf.setBackend("cpu");

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
