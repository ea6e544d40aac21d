import { assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, randK, topK } from "../../../compressors/mod.ts";
import { average, DistributedOptimizer } from "../../../optimizers/mod.ts";
import { alone, collective, connect, memory } from "../../../transport/mod.ts";
import { setPlace } from "../../../transport/place.ts";

await tf.setBackend("cpu");

const method = average(), group = alone(), sgd = tf.train.sgd(1);
const mistakes: [name: string, inner: unknown, options: unknown, says: string][] = [
  [
    "a misspelt option",
    sgd,
    { reduser: method, group },
    'there is no option "reduser", expected one of method, group, seed',
  ],
  [
    "an un-awaited connect()",
    sgd,
    { method, group: connect() },
    "the group is a Promise: await it, as in group: await connect()",
  ],
  [
    "connect itself",
    sgd,
    { method, group: connect },
    "group is the function connect, expected what it returns: call it, await connect()",
  ],
  [
    "a transport",
    sgd,
    { method, group: memory(1)[0] },
    "group is a transport, expected the group over it: collective(transport)",
  ],
  ["no group", sgd, { method }, "group is undefined"],
  ["no options", sgd, undefined, "its options are undefined, expected { method: average(), group: await connect() }"],
  [
    "a method as options",
    sgd,
    method,
    "its options are a method, expected { method: average({ compressor: identity() }), group",
  ],
  [
    "an uncalled factory",
    sgd,
    { method: average, group },
    "method is the function average, expected what it returns: call it, average(…)",
  ],
  [
    "a contractive compressor",
    sgd,
    { method: topK({ k: 1 }), group },
    "which is a compressor, expected a method: errorFeedback(topK({ k: 1 }))",
  ],
  ["an unbiased compressor", sgd, { method: randK({ k: 1 }), group }, "expected a method: average(randK({ k: 1"],
  [
    "a compressor of both kinds",
    sgd,
    { method: identity(), group },
    "errorFeedback(identity()) or average(identity()) or diana(identity())",
  ],
  ["a text", sgd, { method: "average", group }, 'method is "average", expected parseMethod("average")'],
  ["an array", sgd, { method: [method], group }, "method is an array"],
  [
    "a name of an optimizer",
    "adam",
    { method, group },
    'inner is "adam", expected a tf.Optimizer: tf.train.adam(…)',
  ],
  ["an uncalled optimizer", tf.train.adam, { method, group }, "inner is the function"],
  ["a negative verify", sgd, { method, group, verify: -1 }, "verify is -1, expected an integer ≥ 0"],
  ["a loss on all data that is none", sgd, { method, group, dataLoss: 1 }, "dataLoss is 1, expected a function"],
];

for (const [name, inner, options, says] of mistakes) {
  Deno.test(`${name} is refused by a sentence that says what to write`, () => {
    assertThrows(
      () => new DistributedOptimizer(inner as tf.Optimizer, options as never),
      Error,
      `Cannot make a DistributedOptimizer: `,
    );
    assertThrows(() => new DistributedOptimizer(inner as tf.Optimizer, options as never), Error, says);
  });
}

Deno.test("setLearningRate sets the inner optimizer's, and refuses what is no rate", () => {
  for (const inner of [tf.train.sgd(1), tf.train.momentum(1, 0.5), tf.train.adam(1)]) {
    const optimizer = new DistributedOptimizer(inner, { method, group });
    optimizer.setLearningRate(0.25);
    assertEquals(optimizer.learningRate, 0.25);
    assertEquals((inner as unknown as { learningRate: number }).learningRate, 0.25);
    for (const rate of [NaN, -1, Infinity, "1" as unknown as number]) {
      assertThrows(() => optimizer.setLearningRate(rate), RangeError, "expected a finite number ≥ 0");
    }
  }
});

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

Deno.test("a loaded model refuses to train where several ranks were launched, and trains where none was", async () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] }), x = tf.ones([2, 1]);
  model.compile({
    optimizer: new DistributedOptimizer(tf.train.adam(0.1), { method, group }),
    loss: "meanSquaredError",
  });
  await model.fit(x, x, { verbose: 0 });
  let saved!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" as const } });
    }),
    { includeOptimizer: true },
  );
  const load = () => tf.loadLayersModel(tf.io.fromMemory(saved)), before = Deno.env.get("WORLD_SIZE");
  await (await load()).fit(x, x, { verbose: 0 });
  const place = { rank: 0, size: 3, meeting: { transport: "broadcast" as const, name: "none" }, args: [] };
  const loaded = await load(), weights = loaded.getWeights().map((weight) => weight.dataSync());
  setPlace(place);
  try {
    await assertRejects(
      () => loaded.fit(x, x, { verbose: 0 }),
      Error,
      "Cannot train a loaded model on 3 ranks: its optimizer",
    );
    assertEquals(loaded.getWeights().map((weight) => weight.dataSync()), weights);
    // Compiled again it trains.
    loaded.compile({
      optimizer: new DistributedOptimizer(tf.train.adam(0.1), { method, group }),
      loss: "meanSquaredError",
    });
    await loaded.fit(x, x, { verbose: 0 });
  } finally {
    setPlace(undefined as never);
  }
  // torchrun's variables say it too.
  const variables = { RANK: "0", WORLD_SIZE: "2", MASTER_ADDR: "127.0.0.1", MASTER_PORT: "1" };
  assertEquals(before, undefined);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await assertRejects(async () => await (await load()).fit(x, x, { verbose: 0 }), Error, "on 2 ranks");
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
});
