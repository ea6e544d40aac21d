import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { shiftCost, shiftedMean } from "../../../../optimizers/methods/differences/shifted_mean.ts";
import { diana } from "../../../../optimizers/mod.ts";
import { lockstep, rand } from "../../lockstep.ts";

Deno.test("shifts move by their share of the message, and the mean shift by that of the mean, or less where ranks are sampled", () => {
  const ranks = 2, size = 4, shiftStep = .25, compressor = rand(2);
  for (const participation of [1, .5]) {
    const shifts = Array.from(
      { length: ranks },
      () => ({ shift: new Float32Array(size), meanShift: new Float32Array(size) }),
    );
    const run = lockstep({
      ...diana(compressor),
      reduce: (gradient, _state, context) =>
        shiftedMean("diana", compressor, gradient, { ...shifts[context.rank]!, shiftStep }, context),
    }, { ranks, size });
    let before = shifts.map(({ shift, meanShift }) => [shift.slice(), meanShift.slice()] as const);
    for (let t = 0; t < 6; t++) {
      const estimate = run.step({ participation });
      for (let j = 0; j < size; j++) {
        // What the ranks have sent, by how their shifts have moved.
        const sent = shifts.map(({ shift }, r) => (shift[j]! - before[r]![0][j]!) / shiftStep);
        const mean = sent.reduce((sum, v) => sum + v / ranks, 0), [, meanBefore] = before[0]!;
        assertAlmostEquals(estimate[j]!, meanBefore[j]! + mean, 1e-5);
        assertAlmostEquals(shifts[0]!.meanShift[j]!, meanBefore[j]! + shiftStep * participation * mean, 1e-5);
      }
      assertEquals(shifts[0]!.meanShift, shifts[1]!.meanShift);
      before = shifts.map(({ shift, meanShift }) => [shift.slice(), meanShift.slice()] as const);
    }
  }
});

Deno.test("a shift step costs nothing up to 1/(1 + ω), then more, and from 2/(1 + ω) on nothing holds", () => {
  assertEquals([shiftCost(.1, 3), shiftCost(.25, 3), shiftCost(.5, 3), shiftCost(1, 3)], [1, 1, NaN, NaN]);
  // c = α (1 + ω) = 1.6: (1 + 1.6 · .6 / .4) / (1 − .8) = 17.
  assertAlmostEquals(shiftCost(.4, 3), 17, 1e-9);
});
