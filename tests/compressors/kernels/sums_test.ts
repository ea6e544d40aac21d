import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  extremes,
  largest,
  squaredDistance,
  squaredNorm,
  sumOfMagnitudes,
  sumOfSquares,
} from "../../../compressors/kernels/sums.ts";

const vectors = fc.float32Array({ maxLength: 40, noNaN: true, min: -1000, max: 1000 });

Deno.test("sums are those of the definitions", () => {
  fc.assert(fc.property(vectors, fc.nat(40), fc.nat(40), (x, a, b) => {
    const squares = x.reduce((sum, v) => sum + v * v, 0), from = Math.min(a, x.length), to = Math.max(from, b % 41);
    assertEquals(squaredNorm(x), squares);
    assertEquals(squaredDistance(x, x.map((v) => -v)), 4 * squares);
    assertAlmostEquals(sumOfSquares(x), squares, 1e-12 * squares);
    const part = x.subarray(from, to), magnitudes = part.reduce((sum, v) => sum + Math.abs(v), 0);
    assertAlmostEquals(sumOfMagnitudes(x, from, from + part.length), magnitudes, 1e-12 * magnitudes);
  }));
});

Deno.test("four sums take turns", () => {
  // 1 is lost beside 2⁵⁴, unless it is in another sum.
  assertEquals(sumOfSquares(Float32Array.of(2 ** 27, 1, 0, 0, 0, 1)), 2 ** 54 + 2);
  assertEquals(squaredNorm(Float32Array.of(2 ** 27, 1, 0, 0, 0, 1)), 2 ** 54);
});

Deno.test("extremes and the largest magnitude, also of nothing", () => {
  fc.assert(fc.property(vectors, (x) => {
    assertEquals(largest(x), Math.max(0, ...x.map(Math.abs)));
    assertEquals(extremes(x), x.length === 0 ? { least: 0, most: 0 } : { least: Math.min(...x), most: Math.max(...x) });
  }));
});
