/**
 * The mistakes that newcomers make, and what each is told to write instead. Those in compressors are in
 * tests/compressors/compressor_words_test.ts, those in methods in tests/optimizers/methods/whole/types_test.ts. @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import * as gradwire from "../mod.ts";
import {
  alone,
  average,
  type Collective,
  collective,
  connect,
  DistributedOptimizer,
  errorFeedback,
  memory,
  topK,
} from "../mod.ts";

await tf.setBackend("cpu");

// deno-lint-ignore no-explicit-any -- mistakes have no types
const gw: any = gradwire;
const group = alone(), method = errorFeedback(topK({ k: 1 })), place = { rank: 0, size: 2 };
const sgd = () => tf.train.sgd(0.1);
const wrap = (inner: unknown, options: unknown) => new gw.DistributedOptimizer(inner, options);
const optimizer = (more: object = {}) => wrap(sgd(), { method, group, ...more });
const w = () => tf.variable(tf.tensor1d([1, 2]));
const model = () => tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
const loss = (v: tf.Variable) => () => v.square().sum();

/** A step of an optimizer with a loss made of one variable. */
const step = (make: (v: tf.Variable) => unknown, list?: (v: tf.Variable) => unknown, more: object = {}) => {
  const v = w();
  return optimizer(more).minimize(make(v), false, list?.(v) ?? [v]);
};
const fit = (callbacks: unknown) => {
  const m = model();
  m.compile({ optimizer: optimizer(), loss: "meanSquaredError" });
  return m.fit(tf.ones([4, 2]), tf.ones([4, 1]), { verbose: 0, callbacks } as tf.ModelFitArgs);
};
/** Where no file may be: nothing below comes so far as to write. */
const folder = "no such folder";

/** What is called, and the essential words of the answer. */
const mistakes: Readonly<Record<string, readonly (readonly [call: () => unknown, ...says: string[]])[]>> = {
  "the optimizer to wrap": [
    [() => wrap("adam", { method, group }), 'inner is "adam"', "tf.train.adam(…)"],
    [() => wrap("SGD", { method, group }), 'inner is "SGD"', "tf.train.sgd(…)"],
    [() => wrap("foo", { method, group }), 'inner is "foo"', "such as tf.train.adam()"],
    [() => wrap(tf.train.adam, { method, group }), "inner is the function", "such as tf.train.adam(): call it"],
    [() => wrap(tf.AdamOptimizer, { method, group }), "the function AdamOptimizer", "call it"],
    [() => wrap({ method, group }, sgd()), "such as tf.train.adam(), and the options after it"],
    [() => wrap(model(), { method, group }), "inner is a Sequential", "model.compile({ optimizer })"],
    [() => wrap(optimizer(), { method, group }), "inner is one already"],
  ],
  "a method": [
    [() => optimizer({ method: topK }), "the function topK, which names a compressor", "errorFeedback(topK(…))"],
    [() => optimizer({ method: "topK" }), 'parseMethod("errorFeedback(topK)")'],
    [() => optimizer({ method: "topK({ k: 3 })" }), 'parseMethod("errorFeedback(topK({ k: 3 }))")'],
    [() => optimizer({ method: "errorFeedback(topK)" }), 'parseMethod("errorFeedback(topK)")'],
    [() => optimizer({ compressor: topK({ k: 1 }) }), 'no option "compressor"', "errorFeedback(topK({ k: 1 })) meant?"],
    [() => optimizer({ reducer: average() } as never), 'no option "reducer"', "was method meant?"],
    [() => optimizer({ reduser: average() }), 'no option "reduser"', "was method meant?"],
    [() => optimizer({ learningRate: 0.1 }), "the inner optimizer's, as in tf.train.sgd(0.1)"],
    [() => optimizer({ seeed: 1 }), 'no option "seeed"', "was seed meant?"],
    [
      () => gw.errorFeedback({ compressor: topK({ k: 1 }) }),
      "an object",
      "topK(…) itself, without an object around it",
    ],
    [() => gw.errorFeedback(), "the compressor is undefined", "such as topK({ ratio: 0.1 })"],
    [() => gw.errorFeedback(topK({ k: 1 }), 1), "the options are 1", "as in { delay: 1 }"],
    [() => gw.errorFeedback(topK({ k: 1 }), { dealy: 1 }), "was delay meant?"],
    [() => gw.parseMethod(method), "the method errorFeedback, which need not be read"],
    [() => gw.parseMethod(undefined), "the text is undefined", '"errorFeedback(topK({ k: 3 }))"'],
    [() => gw.parseMethod("errorFeedBack(topK)"), "was errorFeedback meant?"],
    [() => gw.perLayer(model(), average), "the layout is a Sequential", "layoutOf(model.trainableWeights)"],
    [() => gw.layoutOf(model()), "a Sequential", "layoutOf(model.trainableWeights)"],
    [() => gw.layoutOf(undefined), "undefined", "layoutOf(model.trainableWeights)"],
    [() => gw.minimise(() => 1, average(), { rounds: 1 }), "the problem is a function", "ridge(rows)"],
  ],
  "vectors": [
    [() => gw.compress(topK({ k: 1 }), Float64Array.of(1), gw.key(1)), "a Float64Array", "new Float32Array(vector)"],
    [() => gw.compress(topK({ k: 1 }), [1, 2], gw.key(1)), "an array", "new Float32Array(vector)"],
    [() => gw.compress(topK({ k: 1 }), tf.ones([2]), gw.key(1)), "a Tensor", "await tensor.data()"],
    [() => gw.decompress(topK({ k: 1 }), Float32Array.of(1), gw.key(1), 1), "a Float32Array", "such as compress gives"],
  ],
  "a group": [
    [() => optimizer({ group: connect() }), "the group is a Promise: await it"],
    [() => optimizer({ group: connect }), "the function connect", "call it, await connect()"],
    [() => optimizer({ group: memory(1)[0] }), "collective(transport)"],
    [() => optimizer({ group: undefined }), "group is undefined", "group = await connect()"],
    [() => optimizer().rejoin(), "Cannot rejoin: group is undefined", "await connect()"],
    [() => gw.syncMetrics(), "group is undefined", "await connect()"],
    [() => gw.syncMetrics(model()), "group is a Sequential", "await connect()"],
    [() => gw.syncMetrics(connect()), "a Promise: await it"],
    [() => gw.syncState(model()), "group is undefined", "await connect()"],
    [() => gw.broadcastState(model()), "group is undefined", "await connect()"],
    [() => gw.broadcastState(model(), connect()), "a Promise: await it"],
    [() => gw.averageState(model()), "group is undefined", "await connect()"],
    [() => gw.saveTo(folder, { group: connect(), optimizer: optimizer(), weights: [] }), "a Promise: await it"],
    [() => gw.restoreFrom(folder, {}), "group is undefined", "await connect()"],
    [() => gw.connect({ timeOut: 1 }), "was timeout meant?"],
    [() => gw.connect(4), "the options are 4", "an object with some of connectTimeout"],
  ],
  "weights": [
    [() => gw.broadcastState(group, model()), "weights is a group", "the group comes after it"],
    [() => gw.syncState(group, model()), "weights is a group", "the group comes after it"],
    [() => gw.averageState(group, model()), "weights is a group", "the group comes after it"],
    [() => gw.averageState([tf.ones([2])], group), "weight 0 is a Tensor", "array of variables"],
    [() => gw.broadcastState(model().trainableWeights, group), "wrappers", "the model itself"],
    [() => gw.broadcastState(model(), group, { rooot: 0 }), "was root meant?"],
    [() => gw.broadcastState(model(), group, { root: 1 }), "root is 1, expected a rank below 1"],
    [() => gw.weightsDigest(w()), "weights is a variable", "[variable]"],
    [() => gw.weightsDigest(optimizer()), "a DistributedOptimizer", "the model or an array of variables"],
    [() => gw.saveCheckpoint(optimizer(), folder), '"no such folder"', "the model or an array of variables"],
    [() => gw.saveCheckpoint(optimizer(), model().weights), "wrappers", "the model itself"],
  ],
  "files": [
    [() => gw.saveCheckpoint([], optimizer()), "optimizer is an array, expected a DistributedOptimizer"],
    [() => gw.saveCheckpoint(sgd()), "optimizer is an SGDOptimizer", "the one that wraps it"],
    [() => gw.restoreCheckpoint(new Uint8Array(9), optimizer()), "optimizer is a Uint8Array"],
    [() => gw.restoreCheckpoint(optimizer(), folder), "await Deno.readFile(path)"],
    [() => gw.restoreCheckpoint(optimizer(), Promise.resolve()), "a Promise", "await it"],
    [() => gw.restoreCheckpoint(optimizer(), new ArrayBuffer(9)), "an ArrayBuffer", "new Uint8Array(file)"],
    [() => gw.restoreCheckpoint(optimizer(), new TextEncoder().encode("a text file")), "a file of another kind"],
    [() => optimizer().setState(new Uint8Array(9)), "it is a Uint8Array", "what getState returned"],
    [() => optimizer().setState({}), "it is an object", "a file is for restoreCheckpoint"],
    [() => gw.saveTo({ group, optimizer: optimizer() }, folder), "the folder is an object", 'saveTo("checkpoints", {'],
    [() => gw.restoreFrom(undefined), "the folder is undefined", 'restoreFrom("checkpoints", {'],
    [() => gw.saveTo(folder), "the options are undefined, expected { group, optimizer, weights }"],
    [() => gw.saveTo(folder, group, optimizer()), "the options are a group, expected { group, optimizer, weights }"],
    [() => gw.saveTo(folder, { group, optimizer: optimizer(), wieghts: [] }), "was weights meant?"],
    [() => gw.restoreFrom(folder, { group, optimizr: optimizer(), weights: [] }), "was optimizer meant?"],
    [() => gw.saveTo("file:///x", { group, optimizer: optimizer(), weights: [w()] }), 'new URL("file:///x")'],
    [
      () => gw.saveTo(folder, { group, optimizer: optimizer(), weights: [] }),
      "expected the model or all of its variables",
    ],
    [() => model().save(gw.fileHandler("file://x")), 'new URL("file://x")'],
  ],
  "the data": [
    [() => gw.shard(place, [1, 2]), "what follows the data is an array", "the group, or { rank, size }"],
    [() => gw.shard([1, 2]), "what follows the data is undefined"],
    [() => gw.shard([1, 2], 0, 2), "what follows the data is 0"],
    [() => gw.shard([1, 2], connect()), "await connect()"],
    // A tensor has a rank and a size.
    [() => gw.shard(tf.ones([4, 2]), tf.ones([4, 1])), "what follows the data is a Tensor", "{ xs, ys }"],
    [() => gw.shardBatches(tf.ones([4]), tf.ones([4]), place, { batchSize: 1 }), "{ xs, ys }"],
    [() => gw.shard("abc", place), 'the data are "abc"', "a tensor, an array or a typed array"],
    [() => gw.shard(5, place), "the data are 5"],
    [() => gw.shard(Promise.resolve([1]), place), "the data are a Promise", "await them first"],
    [() => gw.shard(undefined, place), "the data are undefined"],
    [() => gw.shard(model(), place), "the data are a Sequential"],
    [() => gw.shard({}, place), "an empty object"],
    [() => gw.shard({ xs: [1, 2], ys: 3 }, place), "ys is 3"],
    [() => gw.shard({ xs: [1, 2], ys: [1] }, place), "xs has 2 rows, ys has 1"],
    [() => gw.shard(tf.scalar(1), place), "a scalar"],
    [() => gw.shard([1], place), "too few rows, 1 for 2 ranks"],
    [() => gw.shardBatches({ xs: tf.ones([1, 2]) }, place, { batchSize: 1 }), "too few rows, 1 for 2 ranks"],
    [() => gw.shard([1, 2], place, { shufle: false }), "was shuffle meant?"],
    [() => gw.shard([1, 2], place, { shuffle: "no" }), 'shuffle is "no", expected true or false'],
    [() => gw.shardBatches({ xs: tf.ones([4]) }, place, { batch_size: 1 }), "was batchSize meant?"],
    [() => gw.shardBatches({ xs: tf.ones([4]) }, place), "batchSize is undefined"],
    [() => gw.shardIndices([1, 2], place), "length is an array, expected an integer"],
  ],
  "a step": [
    [() => step((v) => v.square().sum()), "the loss is a Tensor", "() => loss"],
    [() => step((v) => () => v.square()), "the shape [2], expected a scalar", "mean()"],
    [() => step((v) => () => v.square().sum().dataSync()[0]), "the loss is 5", "without dataSync()"],
    [() => step((v) => () => Promise.resolve(v.sum())), "the loss is a Promise", "not async"],
    [() => step(() => () => {}), "the loss is undefined", "does the function return it?"],
    [() => step(loss, (v) => v), "a Variable, expected an array of variables: [variable]"],
    [() => step(loss, () => []), "the array of variables to train is empty"],
    [() => step(loss, () => model().trainableWeights), "a LayerVariable", "model.trainableWeights.map("],
    [() => optimizer().computeGradients(1), "the loss is 1"],
    [() => optimizer().applyGradients({ foo: tf.ones([2]) }), 'no variable "foo"', "computeGradients"],
    [() => optimizer().applyGradients([tf.ones([2])]), "number 0 is a Tensor"],
    [
      () => {
        const v = w(), mine = optimizer({ method: average() });
        mine.applyGradients(mine.computeGradients(loss(v), [v]));
      },
      'no variable "value"',
      "applyGradients(grads)",
    ],
    [() => {
      const mine = optimizer(), v = w();
      mine.minimize(loss(v), false, [v]);
      mine.dispose();
      mine.minimize(loss(v), false, [v]);
    }, "has been disposed of, expected a new DistributedOptimizer"],
    // Also where the method leaves out what is not needed alone.
    ...[{}, { method: average() }].flatMap((more) =>
      [
        [() => step(() => () => tf.ones([2]), undefined, more), "expected a scalar"],
        [() => {
          const v = tf.variable(tf.tensor1d([1, 2], "int32"));
          optimizer(more).minimize(() => v.toFloat().sum(), false, [v]);
        }, "it is int32, expected float32"],
        [() => {
          const v = w();
          v.dispose();
          optimizer(more).minimize(loss(v), false, [v]);
        }, "disposed of"],
      ] as const
    ),
  ],
  "callbacks": [
    [() => fit(gradwire.syncMetrics), "it is a function, expected what it returns: syncMetrics(group)"],
    [() => fit([gradwire.syncState]), "syncState(model, group)"],
    [() => fit([tf.callbacks.earlyStopping(), gradwire.syncMetrics]), "syncMetrics(group)"],
  ],
};

for (const [kind, list] of Object.entries(mistakes)) {
  Deno.test(`words: ${kind}: ${list.length} mistakes are told what to write instead`, async () => {
    const wrong: string[] = [];
    for (const [call, ...says] of list) {
      const { message } = await assertRejects(async () => await call(), Error, undefined, String(call));
      const missing = says.filter((words) => !message.includes(words));
      if (missing.length > 0 || !message.startsWith("Cannot ")) {
        wrong.push(`${call}\n  says: ${message}\n  not: ${missing}`);
      }
    }
    assertEquals(wrong, []);
  });
}

Deno.test("words: a wrong loss on one rank is told to the others", async () => {
  const groups = memory(2).map((transport) => collective(transport));
  const errors: string[] = await Promise.all(groups.map(async (group) => {
    const v = w(), mine = new DistributedOptimizer(sgd(), { method: average(), group });
    const error = await assertRejects(
      () => mine.minimizeAsync(() => (group.rank === 0 ? v.sum() : v) as tf.Scalar, false, [v]),
      Error,
    );
    return error.message;
  }));
  assert(
    errors.every((message) => message.includes("the loss has the shape [2], expected a scalar")),
    errors.join("\n"),
  );
  assert(errors[0]!.startsWith("Cannot take step 0: rank 1 failed: "));
  for (const group of groups) await group[Symbol.asyncDispose]();
});

/** Two ranks do what they do with an optimizer each that has taken a step; what they are told. */
async function apart(
  ...work: ((at: { group: Collective; optimizer: DistributedOptimizer; v: tf.Variable }) => unknown)[]
) {
  const groups = memory(work.length).map((transport) => collective(transport));
  const ranks = groups.map((group) => {
    return { group, v: w(), optimizer: new DistributedOptimizer(sgd(), { method, group }) };
  });
  await Promise.all(ranks.map(one));
  const settled = await Promise.allSettled(ranks.map(async (rank, i) => void await work[i]!(rank)));
  for (const group of groups) await group[Symbol.asyncDispose]();
  return settled.map((end) => end.status === "fulfilled" ? "" : String(end.reason.message));
}
type At = Parameters<Parameters<typeof apart>[0]>[0];
const one = ({ optimizer, v }: At) => optimizer.minimizeAsync(() => v.square().sum().asScalar(), false, [v]);

/** Calls that all ranks must make, and what the others read of a rank that makes it. */
const calls: Readonly<Record<string, readonly [call: (at: At) => unknown, is: string]>> = {
  step: [one, "opens a step"],
  saveTo: [({ group, optimizer, v }) => gradwire.saveTo(folder, { group, optimizer, weights: [v] }), "is in saveTo"],
  restoreFrom: [
    ({ group, optimizer, v }) => gradwire.restoreFrom(folder, { group, optimizer, weights: [v] }),
    "is in restoreFrom",
  ],
  broadcastState: [({ group, v }) => gradwire.broadcastState([v], group), "is in broadcastState"],
  averageState: [({ group, v }) => gradwire.averageState([v], group), "is in averageState"],
  syncMetrics: [({ group }) => gradwire.syncMetrics(group).onEpochEnd(0, { loss: 1 }), "is in syncMetrics"],
  rejoin: [({ group, optimizer }) => optimizer.rejoin(group), "is in rejoin"],
};

for (const [mine, [call, is]] of Object.entries(calls)) {
  Deno.test(`words: ${mine} on rank 0 alone: both ranks are told what the other does`, async () => {
    for (const [theirs, [other, does]] of Object.entries(calls)) {
      if (theirs === mine) continue;
      const messages = await apart(call, other), said = `rank 0 ${is}, rank 1 ${does}. All ranks must`;
      messages.forEach((message, rank) => {
        // A step beside the metrics of an epoch has a sentence of its own.
        const steps = [mine, theirs].sort().join() === "step,syncMetrics" &&
          /took (more|fewer) steps than you/.test(message);
        // Facts that are compared are compared member by member where both ranks compare them.
        const call = message.includes(`call differs: rank 0 has "${mine}", rank 1 has "${theirs}"`);
        assert(
          message.startsWith("Cannot ") && (message.includes(said) || steps || call),
          `${mine}, ${theirs}, ${rank}: ${message}`,
        );
      });
    }
  });
  if (mine === "step") continue;
  Deno.test(`words: ${mine} on rank 0 alone, and rank 1 ends: it is told what all ranks must do`, async () => {
    const [message] = await apart(call, ({ group }) => group[Symbol.asyncDispose]());
    assertMatch(message!, /^Cannot .*: .*rank 1.* left the group\. All ranks must make this call, at the same point$/);
  });
}

Deno.test("words: a first step beside another call is told", async () => {
  const first = ({ group, v }: At) => one({ group, v, optimizer: new DistributedOptimizer(sgd(), { method, group }) });
  for (const message of await apart(({ group, v }) => gradwire.broadcastState([v], group), first)) {
    assertMatch(
      message,
      /: rank 0 is in broadcastState, rank 1 opens its first step, new or restored\. All ranks must/,
    );
  }
});

Deno.test("words: a rank that steps after it has left the group is told so, and not that it took too few steps", async () => {
  const [first, second] = await apart(one, async (at) => {
    await at.group[Symbol.asyncDispose]();
    await one(at);
  });
  assert(first!.startsWith("Cannot take step 1: rank 1 took fewer steps than you"), first);
  assert(second!.startsWith("Cannot take step 1: this rank, 1, has left the group. Dispose of a group only"), second);
});

Deno.test("words: the folder of a step in place of the one that holds the steps is refused, and not found empty", async () => {
  const path = await Deno.makeTempDir();
  try {
    const mine = optimizer(), v = w(), options = { group, optimizer: mine, weights: [v] };
    mine.minimize(loss(v), false, [v]);
    const { name } = await gradwire.saveTo(path, options);
    const refused = await assertRejects(() => gradwire.restoreFrom(`${path}/${name}`, options), Error);
    assertMatch(refused.message, /the folder is a saved step itself, expected the folder that holds the steps$/);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
