import { assert, assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { shard, shardBatches } from "../../../../optimizers/mod.ts";
import type { Collective } from "../../../../transport/mod.ts";
import { close, ranksOf } from "../agreement/drifting.ts";

await tf.setBackend("cpu");

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
