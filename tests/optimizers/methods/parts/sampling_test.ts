import { sampleRanks, sampleSize, samplingVariance } from "../../../../optimizers/methods/parts/sampling.ts";
import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { context, fedAvg, workspace } from "../../../../optimizers/mod.ts";
import { keysOfStep } from "../../../../optimizers/methods/keys.ts";

const size = 6, layout = { names: ["x"], shapes: [[size]], size };

Deno.test("a round's ranks are as many as the fraction says, ascending, the same in all of its steps", () => {
  for (const [fraction, ranks, count] of [[.5, 4, 2], [.01, 7, 1], [1, 3, 3], [.3, 9, 3]] as const) {
    const keysAt = (step: number) => keysOfStep(3, step), drawn = new Set<string>();
    assertEquals(sampleSize(fraction, ranks), count);
    for (let step = 0; step < 60; step++) {
      const members = [...sampleRanks(fraction, 4, { step, size: ranks, keysAt })];
      assertEquals(members, [...sampleRanks(fraction, 4, { step: step - step % 4, size: ranks, keysAt })]);
      assertEquals([members.length, members.toSorted((a, b) => a - b)], [count, members]);
      drawn.add(members.join());
    }
    assert(drawn.size > (count === ranks ? 0 : 3));
  }
  assertEquals([samplingVariance(1, 1), samplingVariance(3, 3), samplingVariance(1, 5), samplingVariance(3, 5)], [
    0,
    0,
    1,
    .5,
  ]);
});

Deno.test("a message that is no part of the sum is refused, with the state as it was", () => {
  const local = fedAvg({ localSteps: 1, fraction: .5 }),
    state = local.init(layout, 2),
    parameters = new Float32Array(size);
  const exchange = local.reduce(
    new Float32Array(size).fill(1),
    state,
    context({ seed: 1, step: 0, rank: 0, size: 2, layout, workspace: workspace(), parameters, learningRate: .1 }),
  );
  exchange.next([]);
  assertThrows(
    () => exchange.next([new Uint8Array(5), new Uint8Array(5)]),
    RangeError,
    "a message of 5 bytes, expected 24",
  );
  assertEquals(state, local.init(layout, 2));
});
