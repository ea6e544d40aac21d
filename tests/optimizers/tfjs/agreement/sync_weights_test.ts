import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { averageState, broadcastState, syncState, weightsDigest } from "../../../../optimizers/mod.ts";
import { collective, memory } from "../../../../transport/mod.ts";
import { model, together } from "../normalised.ts";

await tf.setBackend("cpu");

Deno.test("broadcastState gives all ranks the root's weights, frozen ones and averages included", async () => {
  for (const root of [0, 2]) {
    const digests = await together(3, async (group) => {
      const own = model(1 + group.rank), flag = tf.variable(tf.tensor1d([group.rank, 1], "int32"), false);
      const mask = tf.variable(tf.tensor1d([group.rank === root, true], "bool"), false);
      const before = [weightsDigest(own), weightsDigest([flag, mask])];
      await broadcastState(own, group, { root });
      await broadcastState([flag, mask], group, { root });
      return { before, after: [weightsDigest(own), weightsDigest([flag, mask])] };
    });
    for (const { after } of digests) assertEquals(after, digests[root]!.before);
    assertEquals(new Set(digests.map(({ before }) => before[0])).size, 3);
  }
});

Deno.test("broadcastState refuses a root that is none, and another size", async () => {
  const [group] = memory(1).map((transport) => collective(transport));
  assertThrows(() => broadcastState([], group!, { root: 1 }), RangeError, "root is 1");
  await together(2, async (group) => {
    const own = tf.variable(tf.zeros([group.rank + 1]));
    await assertRejects(
      () => broadcastState([own], group),
      Error,
      'weight.0 differs: rank 0 has "float32 [1]", rank 1 has "float32 [2]"',
    );
  });
});

Deno.test("broadcastState and averageState compare types, shapes and how many before they change anything", async () => {
  const make = (values: number[], shape: number[], dtype: "float32" | "int32" = "float32") =>
    tf.variable(tf.tensor(values, shape, dtype), false);
  const pairs: [tf.Variable[], tf.Variable[], string][] = [
    // As many bytes in another shape, or of another type.
    [[make([1, 2, 3, 4, 5, 6], [2, 3])], [make([0, 0, 0, 0, 0, 0], [3, 2])], "[2,3]"],
    [[make([1, 2], [2])], [make([0, 0], [2], "int32")], 'rank 1 has "int32 [2]"'],
    [[make([1], []), make([2], [])], [make([0, 0], [2])], "weight.0 differs"],
    [[make([1], []), make([2], [])], [make([0], [])], "weight.1 differs"],
  ];
  for (const [ours, theirs, why] of pairs) {
    for (const change of [broadcastState, averageState]) {
      const before = weightsDigest(theirs);
      await together(2, async (group) => {
        const own = group.rank === 0 ? ours : theirs;
        await assertRejects(() => change(own, group), Error, why);
        // The group is whole: what is right goes on in it.
        await change([make([group.rank], [1])], group);
      });
      assertEquals(weightsDigest(theirs), before);
    }
  }
  await together(2, async (group) => {
    await assertRejects(() => broadcastState([make([1], [])], group, { root: group.rank }), Error, "root differs");
    const text = tf.variable(tf.tensor(["a"]), false);
    await assertRejects(() => broadcastState([text], group), TypeError, "weight 0");
  });
});

Deno.test("averageState is finite where the mean is, and refuses on all ranks, unchanged, what is not", async () => {
  const most = 3.4e38, cases = [[most, most, most, most], [-most, most, most, most], [most, -most, 1, 0]];
  for (const values of cases) {
    const expected = values.reduce((sum, value) => sum + value / values.length, 0);
    await together(values.length, async (group) => {
      const own = tf.variable(tf.tensor1d([values[group.rank]!, 1 / 3]));
      await averageState([own], group);
      const [mean, same] = own.dataSync();
      assert(Math.abs(mean! - expected) <= 1e-7 * most, `${mean} and ${expected}`);
      assertEquals(same, Math.fround(1 / 3));
    });
  }
  for (const bad of [0, 1]) {
    for (const value of [NaN, Infinity]) {
      await together(2, async (group) => {
        const first = tf.variable(tf.scalar(group.rank)), own = tf.variable(tf.scalar(group.rank === bad ? value : 1));
        const before = weightsDigest([first, own]);
        await assertRejects(() => averageState([first, own], group), RangeError, `is not finite on rank ${bad}`);
        assertEquals(weightsDigest([first, own]), before);
      });
    }
  }
  await together(2, async (group) => { // what all have is equal, and stays
    const own = tf.variable(tf.tensor1d([Infinity, group.rank]));
    await averageState([own], group);
    assertEquals([...own.dataSync()], [Infinity, 0.5]);
  });
});

Deno.test("averageState means what is not trained; what is equal keeps its bits, trained weights stay", async () => {
  const ranks = await together(3, async (group) => {
    const own = model(1), [mean, variance] = own.layers[1]!.nonTrainableWeights.map((w) => w.read() as tf.Variable);
    mean!.assign(tf.tensor1d([group.rank, 0.1])), variance!.assign(tf.tensor1d([1 / 3, 2 ** group.rank]));
    (own.layers[2]!.trainableWeights[1]!.read() as tf.Variable).assign(tf.tensor1d([group.rank]));
    const kernel = weightsDigest([own.weights[0]!.read() as tf.Variable]);
    await syncState(own, group).onEpochEnd(0);
    assertEquals(weightsDigest([own.weights[0]!.read() as tf.Variable]), kernel);
    return [mean!, variance!, own.layers[2]!.trainableWeights[1]!.read()].map((variable) => [...variable.dataSync()]);
  });
  const [a, b] = [Math.fround(0.1), Math.fround(1 / 3)];
  ranks.forEach((values, rank) => assertEquals(values, [[1, a], [b, Math.fround(7 / 3)], [rank]]));
});

Deno.test("averaging leaves no tensor behind", async () => {
  await together(2, async (group) => {
    const own = model(1), { numTensors } = tf.memory();
    await averageState(own, group);
    await broadcastState(own, group);
    if (group.rank === 1) assertEquals(tf.memory().numTensors, numTensors);
  });
});
