/** saveTo and restoreFrom, with models and optimizers. */

import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, naturalCompression } from "../../../../compressors/mod.ts";
import {
  diana,
  errorFeedback,
  type Json,
  type Method,
  restoreFrom,
  type SaveOptions,
  saveTo,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { alone, type Collective } from "../../../../transport/mod.ts";
import { both, inFolder, make, type Options, restore, save, steps, trainee } from "./saved_ranks.ts";

await tf.setBackend("cpu");

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
