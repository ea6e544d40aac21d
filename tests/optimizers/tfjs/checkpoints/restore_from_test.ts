import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { naturalCompression } from "../../../../compressors/mod.ts";
import { average, type DistributedOptimizer, restoreFrom, weightsDigest } from "../../../../optimizers/mod.ts";
import { both, inFolder, make, restore, save, steps } from "./saved_ranks.ts";

await tf.setBackend("cpu");

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
