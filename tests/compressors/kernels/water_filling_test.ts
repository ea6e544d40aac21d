import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { waterLevel } from "../../../compressors/kernels/water_filling.ts";
import { adversarialVector } from "../../../testing/mod.ts";

Deno.test("the water level solves Σ min(1, |x| / t) = budget, over 60 decades too", () => {
  const vectors = fc.oneof(
    fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 60 }),
    fc.nat(1e6).map((seed) => adversarialVector("dynamic", 40, seed)),
    fc.tuple(fc.constantFrom("lognormal", "dynamic", "ties", "allEqual"), fc.nat(1e6)).map(([kind, seed]) =>
      adversarialVector(kind, 1500, seed) // by histogram
    ),
    fc.nat(40).map((size) => Float32Array.from({ length: size + 1 }, (_, i) => 2 ** (i - 20))),
    fc.nat(40).map((size) => new Float32Array(size + 1).fill(3)),
  );
  fc.assert(
    fc.property(vectors, fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 1400 })), (x, budget) => {
      const level = waterLevel(x, budget), nonzero = x.filter((value) => value !== 0).length;
      if (nonzero <= budget) return assertEquals(level, 0);
      assertAlmostEquals(
        [...x].map(Math.abs).sort((a, b) => b - a).reduceRight((sum, value) => sum + Math.min(1, value / level), 0) /
          budget,
        1,
        1e-9,
      );
    }),
    { numRuns: 600, seed: 1 },
  );
});

Deno.test("the water level of numbers that are not finite ends the search too", () => {
  for (const size of [9, 1500]) {
    for (const value of [Infinity, NaN]) waterLevel(new Float32Array(size).fill(1).fill(value, 2, 4), 3);
  }
});
