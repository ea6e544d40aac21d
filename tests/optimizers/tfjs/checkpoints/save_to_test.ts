/** saveTo and restoreFrom, with models and optimizers. */

import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, naturalCompression } from "../../../../compressors/mod.ts";
import {
  average,
  diana,
  DistributedOptimizer,
  errorFeedback,
  type Json,
  type Method,
  type Restored,
  restoreFrom,
  type RestoreOptions,
  type Saved,
  type SaveOptions,
  saveTo,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { alone, type Collective, collective, memory } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

interface Options {
  readonly method?: () => Method;
  readonly inner?: () => tf.Optimizer;
  readonly units?: number;
  readonly seed?: number;
}

/** One rank: a model with BatchNorm, whose averages differ by rank, and a step on data of its own. */
function trainee(group: Collective, options: Options = {}) {
  const { method = () => average(), inner = () => tf.train.adam(0.01), units = 3, seed = 0 } = options;
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units, kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }) }),
    ],
  });
  const optimizer = new DistributedOptimizer(inner(), { method: method(), group, seed });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const step = () => {
    const xs = tf.randomNormal([8, 3], 0, 1, "float32", 100 * optimizer.iterations + group.rank + 1);
    const loss = () => tf.losses.meanSquaredError(xs.sum(1, true), model.apply(xs, { training: true }) as tf.Tensor);
    return optimizer.minimizeAsync(() => loss().asScalar(), false, variables);
  };
  const state = () => [weightsDigest(model), structuredClone({ ...optimizer.getState(), layout: undefined })];
  return { group, model, optimizer, step, state };
}
type Trainee = ReturnType<typeof trainee>;

const make = (size: number, options?: Options) =>
  memory(size).map((transport) => trainee(collective(transport), options));
const both = (list: readonly Trainee[]) => list.map(({ state }) => state());

async function steps(list: readonly Trainee[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.all(list.map(({ step }) => step()));
}

/** All ranks do it; throws what the first one throws, after all have ended. */
async function all<T>(list: readonly Trainee[], work: (trainee: Trainee, rank: number) => Promise<T>): Promise<T[]> {
  const results = await Promise.allSettled(list.map(work));
  const errors = results.flatMap((result) => result.status === "rejected" ? [(result.reason as Error).message] : []);
  // All ranks or none, and all with the same words.
  if (errors.length > 0) assertEquals(errors, results.map(() => errors[0]));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

const save = (list: readonly Trainee[], folder: string, options: Partial<SaveOptions> = {}): Promise<Saved[]> =>
  all(
    list,
    ({ group, optimizer, model }, rank) =>
      saveTo(folder, { group, optimizer, weights: model, position: { epoch: optimizer.iterations, rank }, ...options }),
  );
const restore = (
  list: readonly Trainee[],
  folder: string,
  options: Partial<RestoreOptions> = {},
): Promise<(Restored | undefined)[]> =>
  all(list, ({ group, optimizer, model }) => restoreFrom(folder, { group, optimizer, weights: model, ...options }));

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await body(`${root}/check points#1`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const methods: Record<string, Options> = {
  "average, adam": {},
  "diana, momentum": {
    method: () => diana(naturalCompression()) as Method,
    inner: () => tf.train.momentum(0.01, 0.9),
  },
  "delayed error feedback, sgd": {
    method: () => errorFeedback(identity(), { delay: 2 }),
    inner: () => tf.train.sgd(0.01),
  },
};
for (const [name, options] of Object.entries(methods)) {
  Deno.test(`saveTo and restoreFrom: ${name} goes on to the last bit, BatchNorm and position included`, async () => {
    await inFolder(async (folder) => {
      const straight = make(2, options);
      assertEquals(await restore(straight, folder), [undefined, undefined]);
      await steps(straight, 3);
      const [saved] = await save(straight, folder);
      assertEquals(saved, { name: "step-000000000003-save-1", step: 3, removed: [], leftBehind: [] });
      await steps(straight, 3);
      const resumed = make(2, options);
      for (const [rank, restored] of (await restore(resumed, folder)).entries()) {
        assertEquals([restored!.step, restored!.position, restored!.leftOut], [3, { epoch: 3, rank }, []]);
        assert(Math.abs(Date.parse(restored!.time) - Date.now()) < 600_000);
      }
      await steps(resumed, 3);
      assertEquals(both(resumed), both(straight));
      assert(weightsDigest(resumed[0]!.model) !== weightsDigest(resumed[1]!.model));
      // The run that restored goes on to save there, the one that did not know of it does not.
      await save(resumed, folder);
      await assertRejects(() => save(straight, folder), Error, "which this run has neither saved nor restored");
    });
  });
}

Deno.test("restoreFrom falls back to the step before, says why, and training goes on from there", async () => {
  await inFolder(async (folder) => {
    const ranks = make(2);
    await steps(ranks, 1), await save(ranks, folder);
    const first = both(ranks);
    await steps(ranks, 1), await save(ranks, folder);
    const file = `${folder}/step-000000000002-save-2/rank-1.safetensors`, bytes = await Deno.readFile(file);
    bytes[bytes.length - 5]! ^= 4;
    await Deno.writeFile(file, bytes);
    const resumed = make(2), results = await restore(resumed, folder);
    for (const result of results) {
      assertEquals([result!.step, result!.leftOut.map(({ name }) => name)], [1, ["step-000000000002-save-2"]]);
      assert(result!.leftOut[0]!.why.includes("rank 1: rank-1.safetensors is damaged"));
    }
    assertEquals(both(resumed), first);
    await steps(resumed, 1), await save(resumed, folder);
    assertEquals((await restore(make(2), folder))[0]!.name, "step-000000000002-save-3");
  });
});

Deno.test("restoreFrom: what does not go with this run is refused on all ranks, and nothing is changed", async () => {
  await inFolder(async (folder) => {
    const ranks = make(2);
    await steps(ranks, 2), await save(ranks, folder);
    for (
      const [list, options, why] of [
        [make(2, { units: 4 }), {}, "rank 0: Cannot restore: weight 0 is "],
        [
          make(3),
          {},
          'rank 0: the step was saved by 2 ranks, here are 3. Restore its weights alone by only: "weights"',
        ],
        [make(1), {}, "rank 0: the step was saved by 2 ranks, here are 1."],
        [make(2, { seed: 1 }), {}, "rank 1: Cannot restore the state: seed is 0 in the checkpoint, 1 here"],
        [make(2, { inner: () => tf.train.sgd(1) }), {}, "its class is Adam in the checkpoint, SGD here"],
        [make(2, { method: () => average(naturalCompression()) }), {}, "method is average"],
        [make(2), { weights: [] }, "the step holds 8 weights, weights is empty"],
        [make(2), { more: 1 } as object, 'there is no option "more", expected one of group, optimizer, weights, only'],
        [make(2), { only: "slots" as "weights" }, 'only is "slots", expected "weights" or nothing'],
        [make(2), { weights: undefined as unknown as [] }, "weights is undefined, expected the model or an array"],
        [
          make(2),
          { optimizer: tf.train.sgd(1) as unknown as DistributedOptimizer },
          "optimizer is an SGDOptimizer, expected a DistributedOptimizer: the one that wraps it",
        ],
      ] as const
    ) {
      const before = both(list);
      const error = await assertRejects(() => restore(list, folder, options), Error);
      assert(error.message.startsWith(`Cannot restore from ${folder}: `) && error.message.includes(why), error.message);
      assertEquals(both(list), before);
    }
    // One rank alone is enough.
    const [one, other] = [make(2), make(2, { units: 4 })];
    const mixed = [one[0]!, { ...other[1]!, group: one[1]!.group }], before = both(mixed);
    await assertRejects(() => restore(mixed, folder), Error, "rank 1: Cannot restore");
    assertEquals(both(mixed), before);
  });
});

Deno.test("restoreFrom with only weights: any number of ranks, any method, from rank 0's newest sound step", async () => {
  await inFolder(async (folder) => {
    const ranks = make(2);
    await steps(ranks, 2), await save(ranks, folder);
    const digests = ranks.map(({ model }) => weightsDigest(model));
    for (const size of [1, 2, 3]) {
      const others = make(size, {
        method: () => average(naturalCompression()),
        inner: () => tf.train.sgd(0.1),
        seed: 5,
      });
      const results = await restore(others, folder, { only: "weights" });
      assertEquals(
        results.map((result) => [result!.step, result!.position]),
        others.map(() => [2, { epoch: 2, rank: 0 }]),
      );
      assertEquals(others.map(({ model }) => weightsDigest(model)), others.map(() => digests[0]));
      assertEquals(others.map(({ optimizer }) => optimizer.iterations), others.map(() => 0));
      await steps(others, 1);
    }
    // Where rank 0's file is gone, another rank's will do; the optimizer may be left out.
    await Deno.remove(`${folder}/step-000000000002-save-1/rank-0.safetensors`);
    const late = make(1), { group, model } = late[0]!;
    await restoreFrom(folder, { group, weights: model, only: "weights" });
    assertEquals(weightsDigest(model), digests[1]);
    await assertRejects(() => restore(make(2, { units: 4 }), folder, { only: "weights" }), Error, "weight 0 is ");
    assertEquals(await restore(make(2), `${folder}-none`, { only: "weights" }), [undefined, undefined]);
    const [a, b] = [make(2), make(2, { units: 4 })];
    await assertRejects(
      () => restore([a[0]!, { ...b[1]!, group: a[1]!.group }], folder, { only: "weights" }),
      Error,
      "ranks 0 and 1 have weights of other types or shapes",
    );
  });
});

Deno.test("saveTo: what cannot be saved is refused on all ranks by name; training goes on", async () => {
  await inFolder(async (folder) => {
    const ranks = make(2);
    await steps(ranks, 1);
    for (
      const [options, why] of [
        [{ keep: 0 }, "keep is 0, expected an integer ≥ 1"],
        [{ position: { at: NaN } }, "position has NaN, expected what JSON can hold"],
        [{ position: new Map() as unknown as Json }, "position has a Map"],
        [{ position: [undefined] as unknown as Json }, "position has undefined"],
        [{ position: "x".repeat(70_000) }, "position has 70002 characters as JSON, expected at most 65536"],
        [{ weights: undefined as unknown as [] }, "weights is undefined"],
        [{ weights: [] }, "weights lacks the variable "],
        [
          { weights: ranks[0]!.model.weights.slice(1).map((weight) => weight.read() as tf.Variable) },
          `, which is trained, expected the model or all of its variables`,
        ],
        [{ kepp: 1 } as object, 'there is no option "kepp", expected one of group, optimizer, weights, position, keep'],
      ] as const
    ) {
      const error = await assertRejects(() => save(ranks, folder, options), Error);
      assert(
        error.message.startsWith(`Cannot save to ${folder}: rank 0: `) && error.message.includes(why),
        error.message,
      );
    }
    await assertRejects(
      () => saveTo(folder, { group: undefined } as unknown as SaveOptions),
      TypeError,
      "group is undefined",
    );
    await assertRejects(() => save(ranks, ""), Error, 'Cannot save to : rank 0: the path is "", expected a text');
    await assertRejects(
      () => restore(ranks, ""),
      Error,
      'Cannot restore from : rank 0: the path is "", expected a text',
    );
    const file = await Deno.makeTempFile();
    await assertRejects(() => save(ranks, `${file}/folder`), Error, "ENOTDIR");
    await Deno.remove(file);
    // One rank that calls something else is named.
    const results = await Promise.allSettled([
      saveTo(folder, { ...ranks[0]!, weights: ranks[0]!.model } as unknown as SaveOptions),
      ranks[1]!.step(),
    ]);
    assertEquals(results.map(({ status }) => status), ["rejected", "rejected"]);
    await steps(ranks, 1), await save(ranks, folder);
    assertEquals((await restore(make(2), folder))[0]!.step, 2);
  });
});

Deno.test("saveTo refuses to save no weights before the first step and in a group of one", async () => {
  await inFolder(async (folder) => {
    const [one] = make(1);
    await assertRejects(
      () => save([one!], folder, { weights: [] }),
      Error,
      "weights holds no variable, expected the model",
    );
    await one!.step();
    await assertRejects(
      () => save([one!], folder, { weights: [] }),
      Error,
      "expected the model or all of its variables",
    );
  });
});

Deno.test("saveTo takes file: URLs, groups of one and blocking groups", async () => {
  const root = await Deno.makeTempDir(), folder = new URL(`file://${root}/a%20b%23`);
  const one = () => trainee(alone() as unknown as Collective);
  const first = one();
  await first.step();
  const { group, optimizer, model } = first;
  await saveTo(folder, { group, optimizer, weights: model });
  const second = one();
  const restored = await restoreFrom(`${root}/a b#/`, { group, optimizer: second.optimizer, weights: second.model });
  assertEquals([restored!.step, restored!.position], [1, null]);
  await first.step(), await second.step();
  assertEquals(weightsDigest(second.model), weightsDigest(model));
  // The same folder, written in another way.
  await saveTo(folder, { group, optimizer: second.optimizer, weights: second.model });
  await Deno.remove(root, { recursive: true });
});
