import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { average, diana, errorFeedback, schedule } from "../../../../optimizers/mod.ts";
import { lockstep, rand, top } from "../../lockstep.ts";

Deno.test("schedule changes the compressor with the step and carries the memory over", () => {
  const stages = { 0: errorFeedback(top(4)), 2: errorFeedback(top(1)), 5: errorFeedback(top(2)) };
  const run = lockstep(schedule(stages), { ranks: 1, size: 8 }), counts: number[] = [];
  const total = new Float64Array(8), sent = new Float64Array(8);
  for (let t = 0; t < 7; t++) {
    run.gradients[0]!.forEach((v, j) => total[j]! += v);
    const estimate = run.step();
    counts.push(estimate.filter((v) => v !== 0).length);
    estimate.forEach((v, j) => sent[j]! += v);
    sent.forEach((v, j) => assertAlmostEquals(v + run.states[0]!.local.error![j]!, total[j]!, 1e-5));
  }
  assertEquals(counts, [4, 4, 1, 1, 1, 2, 2]);
  assertThrows(() => schedule({ 1: average() }), RangeError, "its first stage starts at 1, expected 0");
  assertThrows(() => schedule({ 0: average(), 2.5: average() }), RangeError, "a stage starts at 2.5");
  assertThrows(() => schedule({ 0: average(), 3: diana(rand(1)) }), TypeError, "average turns into diana at step 3");
});
