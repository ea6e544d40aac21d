import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { cap } from "../../../../compressors/kernels/cap_search.ts";
import { blockCaps, defaultBlock } from "../../../../compressors/quantizers/spherical/block_caps.ts";

Deno.test("caps: their threshold, the factor of a point, and a budget in units of the candidates that are needed", () => {
  const { probability, mean } = cap(0.25, 8);
  const biased = blockCaps(0.25, 40, false, 0).of(8), unbiased = blockCaps(0.25, 40, true, 0).of(8);
  assertAlmostEquals(biased.threshold, Math.sqrt(0.75), 1e-6);
  assertEquals(biased.gain, biased.threshold);
  assertAlmostEquals(unbiased.gain, 1 / mean, 1e-6);
  assertAlmostEquals(biased.budget * probability, 40, 0.01);
  // The escape follows the largest high part that a number within the budget has.
  assertEquals(biased.escape, ((biased.budget - 1) >>> biased.rice) + 1);
});

Deno.test("caps: what rounding norms adds is taken off a biased cap, and is added to the unbiased ω", () => {
  const spread = 0.01, biased = blockCaps(0.25, 40, false, spread).of(8);
  // A cap of a gives the error a for the exact norm, and a (1 − spread) + spread with what the norm adds.
  const a = 1 - biased.threshold ** 2;
  assertAlmostEquals(a * (1 - spread) + spread, 0.25, 1e-6);
  const exact = blockCaps(0.25, 40, true, 0), rounded = blockCaps(0.25, 40, true, spread);
  assertAlmostEquals(rounded.omega(8), (1 + exact.omega(8)) * (1 + spread) - 1, 1e-12);
  assertEquals([exact.omega(1), rounded.omega(1)], [0, 1 + spread - 1]);
});

Deno.test("the default block is the largest for which 1000 candidates do", () => {
  for (const alpha of [0.05, 0.25, 0.5, 0.9]) {
    const block = defaultBlock(alpha);
    assert(cap(alpha, block).probability >= 1e-3, `${block} numbers at ${alpha}`);
    assert(block === 1024 || cap(alpha, block + 1).probability < 1e-3, `${block} numbers at ${alpha}`);
  }
});
