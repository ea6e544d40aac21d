import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { bitsByWaterFilling, bitsForAllVectors, bitsOnAverage, logCapShare } from "../../../examples/figures/bounds.ts";
import { key, normal } from "../../../random.ts";

Deno.test("the share of a cap has its known values", () => {
  const known = [[.1, 2, .1024], [.1, 4, 6.923e-3], [.1, 6, 5.572e-4], [.25, 8, 1.268e-3], [.5, 20, 1.689e-4]] as const;
  for (const [alpha, d, share] of known) assertAlmostEquals(Math.exp(logCapShare(alpha, d)) / share, 1, 5e-4);
  // Archimedes: on a sphere in three dimensions a cap's share is that of its height.
  assertAlmostEquals(Math.exp(logCapShare(.36, 3)), (1 - .8) / 2, 1e-14);
});

Deno.test("the bound on average comes to the bound for all vectors as vectors grow", () => {
  assertEquals(bitsForAllVectors(1 / 16), 2);
  const apart = [10, 100, 1000, 10_000].map((d) => bitsOnAverage(.3, d) - bitsForAllVectors(.3));
  apart.forEach((bits, i) => assert(bits > 0 && (i === 0 || bits < apart[i - 1]!), `${apart}`));
  assert(apart.at(-1)! < 1e-3);
});

Deno.test("reverse water-filling: numbers below the level cost nothing, the others their share", () => {
  // Variances 16, 4 and 1 at a level of 4: an error of 4 + 4 + 1 of 21 costs one bit, for the first number.
  assertAlmostEquals(bitsByWaterFilling(Float32Array.of(4, -2, 1))(9 / 21), 1 / 3, 1e-12);
  assertAlmostEquals(bitsByWaterFilling(Float32Array.of(3, -3))(1 / 4), 1, 1e-12);
  assertEquals(bitsByWaterFilling(Float32Array.of(3, 0, -3))(1), 0);
  const x = normal(key(1), new Float32Array(1000));
  assert(bitsByWaterFilling(x)(.1) < bitsOnAverage(.1, 1000));
});
