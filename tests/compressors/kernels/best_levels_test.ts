import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { bestLevels, BINS, edgeOf, histogram, momentsBetween } from "../../../compressors/kernels/best_levels.ts";
import { largest } from "../../../compressors/kernels/sums.ts";

/** The variance of rounding the vector to the levels, by definition. */
function costOf(vector: Float32Array, levels: ArrayLike<number>): number {
  return vector.reduce((sum, x) => {
    let i = 0;
    while (i + 2 < levels.length && levels[i + 1]! <= x) i++;
    return sum + (levels[i + 1]! - x) * (x - levels[i]!);
  }, 0);
}

Deno.test("every number is in one bin, between its edges", () => {
  const numbers = fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 9 });
  fc.assert(fc.property(numbers.filter((x) => largest(x) > 2 ** -100), (x) => {
    const most = largest(x), counts = new Uint32Array(BINS);
    histogram(x, most, counts);
    assertEquals(counts.reduce((sum, count) => sum + count), x.length);
    for (const value of x) {
      const one = new Uint32Array(BINS);
      histogram(Float32Array.of(value), most, one);
      const bin = one.indexOf(1), near = edgeOf(bin, most);
      // The bin of zero holds what is below 2⁻²⁰ of the largest.
      if (near === 0) assert(Math.abs(value) <= 2 ** -19 * most, `${value} beside ${most}`);
      else assert(value / near >= 1 && value / near < 1 + 1 / 64, `${value} in the bin of ${near}`);
    }
  }));
});

Deno.test("the levels are the best of all choices", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 9 });
  fc.assert(fc.property(numbers, fc.integer({ min: 2, max: 4 }), (list, k) => {
    const x = Float32Array.from(list), candidates = Float64Array.from(x).sort(), n = candidates.length;
    const moments = [0, 1, 2].map(() => new Float64Array(n)) as [Float64Array, Float64Array, Float64Array];
    momentsBetween(x, candidates, ...moments);
    for (const moment of moments) moment.set([...moment].map((_, j) => moment.slice(0, j).reduce((a, b) => a + b, 0)));
    const best = bestLevels(candidates, k, ...moments);
    assertEquals([best[0], best[k - 1]], [candidates[0], candidates[n - 1]]);
    let least = Infinity;
    for (let set = 0; set < 2 ** (n - 2); set++) {
      const inner = [...candidates.subarray(1, n - 1)].filter((_, i) => set >>> i & 1);
      if (inner.length === k - 2) least = Math.min(least, costOf(x, [candidates[0]!, ...inner, candidates[n - 1]!]));
    }
    assertAlmostEquals(costOf(x, best), least, 1e-9 * (1 + least));
  }));
});
