import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity } from "../../../../compressors/mod.ts";
import { adiana, average, errorFeedback, warmup } from "../../../../optimizers/mod.ts";
import { lockstep, top } from "../../lockstep.ts";

Deno.test("warmup takes the first steps with one method and then the other, each with its own state", () => {
  const run = lockstep(warmup(errorFeedback(top(2)), { steps: 3 }), { ranks: 3, size: 8 });
  for (let t = 0; t < 6; t++) {
    const mean = run.gradients[0]!.map((_, j) => run.gradients.reduce((sum, g) => sum + g[j]! / 3, 0));
    const estimate = run.step(), error = run.states[0]!.local["method.error"]!;
    if (t < 3) estimate.forEach((v, j) => assertAlmostEquals(v, mean[j]!, 1e-6));
    else assert(estimate.filter((v) => v !== 0).length <= 6);
    assertEquals(error.some((v) => v !== 0), t >= 3);
  }
  assertThrows(() => warmup(adiana(identity(), { convexity: 1 }), { steps: 1 }), TypeError, "average gives a gradient");
  assertThrows(() => warmup(average(), { steps: -1 }), RangeError, "steps is -1");
});
