import { assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer } from "../../../../optimizers/mod.ts";
import { collective, memory } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

const method = average();

Deno.test("variables that cannot be trained are refused on all ranks, and the ranks go on", async () => {
  const groups = memory(2).map((transport) => collective(transport, { timeout: 10_000 }));
  const each = (rank: (group: typeof groups[number]) => Promise<unknown>) => Promise.all(groups.map(rank));
  const step = (group: typeof groups[number], list: tf.Variable[], optimizer = make(group)) =>
    optimizer.minimizeAsync(() => tf.addN(list.map((v) => v.toFloat().sum())).asScalar(), false, list);
  const make = (group: typeof groups[number]) => new DistributedOptimizer(tf.train.sgd(1), { method, group });
  const live = () => tf.variable(tf.tensor1d([1, 2]));
  // Of an integer type: on both ranks, and on one.
  await each((group) =>
    assertRejects(() => step(group, [live(), tf.variable(tf.scalar(1, "int32"))]), Error, "it is int32")
  );
  await each((group) =>
    assertRejects(
      () => step(group, [tf.variable(group.rank ? tf.scalar(1, "int32") : tf.scalar(1))]),
      Error,
      group.rank ? "it is int32, expected float32" : "rank 1 failed: Cannot train variable 0",
    )
  );
  // Disposed of: before the first step, and between steps.
  const gone = live();
  gone.dispose();
  await each((group) => assertRejects(() => step(group, [group.rank ? gone : live()]), Error));
  const optimizers = groups.map(make), lists = groups.map(() => [live(), live()]);
  await each((group) => step(group, lists[group.rank]!, optimizers[group.rank]));
  lists[1]![1]!.dispose();
  await each((group) =>
    assertRejects(
      () =>
        optimizers[group.rank]!.minimizeAsync(
          () => lists[group.rank]![0]!.sum().asScalar(),
          false,
          lists[group.rank]!.slice(0, 1),
        ),
      Error,
      `${group.rank ? "" : "rank 1 failed: Cannot take step 1: "}variable 1 (`,
    )
  );
  // Others than in the first step.
  const added = optimizers.map((_, rank) => [...lists[rank]!.slice(0, 1), live()]);
  await each((group) =>
    assertRejects(
      () => step(group, added[group.rank]!, optimizers[group.rank]),
      Error,
      "was not among the 2 of the first step",
    )
  );
  // Without numbers.
  await each((group) => step(group, [tf.variable(tf.zeros([0])), live()]));
  for (const group of groups) await group[Symbol.asyncDispose]();
});
