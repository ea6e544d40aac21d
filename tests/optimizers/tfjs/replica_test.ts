import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, errorFeedback, localSgd } from "../../../optimizers/mod.ts";
import { identity } from "../../../compressors/mod.ts";
import { checkArguments } from "../../../optimizers/tfjs/arguments.ts";
import { Replica } from "../../../optimizers/tfjs/replica.ts";
import { alone, runTogether } from "../../../transport/mod.ts";
import { echo } from "./training.ts";

await tf.setBackend("cpu");

function replica(options: Partial<Parameters<typeof checkArguments>[1]> = {}) {
  const inner = tf.train.momentum(0.5, 0.9);
  return new Replica(inner, checkArguments(inner, { method: average(), group: echo(2), ...options }));
}

Deno.test("a replica: who is alone, and when the ranks meet", () => {
  assert(replica({ group: alone() }).alone);
  assert(!replica().alone && !replica({ group: alone(), method: errorFeedback(identity()) }).alone);
  const local = replica({ method: localSgd({ every: 3 }) });
  assertEquals([0, 1, 2, 3, 4, 5].map((step) => (local.step = step, local.meets)), [
    false,
    false,
    true,
    false,
    false,
    true,
  ]);
});

Deno.test("a replica: before its first step all ranks have rank 0's weights, and what the method is told is the step's", () => {
  const replicas = [0, 1].map((rank) => replica({ group: { ...echo(2), rank } }));
  const lists = replicas.map((_, rank) => [tf.variable(tf.tensor1d([rank, rank]))]);
  runTogether(replicas.map((replica, rank) => replica.begin(lists[rank]!, () => {})));
  assertEquals(lists.map(([w]) => [...w!.dataSync()]), [[0, 0], [0, 0]]);
  const { layout, parameters, learningRate, early, step, rank } = replicas[1]!.context(true);
  assertEquals({ shapes: layout.shapes, parameters: [...parameters!], learningRate, early, step, rank }, {
    ...{ shapes: [[2]], parameters: [0, 0], learningRate: 0.5, early: true, step: 0, rank: 1 },
  });
  assertEquals(replicas[0]!.digests(), replicas[1]!.digests());
});

Deno.test("a replica: a checkpoint that the next step refuses is taken back", () => {
  const one = replica({ group: alone() }), mine = one.contents(), w = [tf.variable(tf.tensor1d([1, 2]))];
  const slots = [{ name: "accumulations.0", shape: [3], values: new Float32Array(3) }];
  const restored = { ...mine, step: 7, inner: { ...mine.inner, iterations: 7, slots } };
  one.check(restored, mine);
  one.restore(restored, mine, []);
  assertEquals([one.step, one.inner.iterations, one.contents().inner.slots.length], [7, 7, 1]);
  let refused = 0;
  assertThrows(() => one.confirmAlone(w, () => refused++), Error, "slot accumulations.0 is [3] in the checkpoint, [2]");
  assertEquals([refused, one.step, one.inner.iterations, one.contents().inner.slots.length], [1, 0, 0, 0]);
  one.confirmAlone(w, () => refused++);
  assertThrows(() => one.check({ ...mine, seed: 1 }, mine), Error, "seed is 1 in the checkpoint, 0 here");
  one.dispose();
});
