import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  addValues,
  intervalOf,
  nearestLevels,
  putValues,
  stochasticRoundTo,
  symmetricLevels,
} from "../../../compressors/kernels/given_levels.ts";
import { bits, key } from "../../../random.ts";

const positive = fc.uniqueArray(fc.integer({ min: 1, max: 79 }), { minLength: 1, maxLength: 8 })
  .map((list) => list.sort((a, b) => a - b).map((v) => v / 10));

Deno.test("the nearest level is found, also far outside", () => {
  fc.assert(fc.property(positive, fc.float32Array({ noNaN: true, min: -20, max: 20, maxLength: 30 }), (levels, x) => {
    const table = symmetricLevels(levels), codes = new Uint32Array(x.length), { values } = table;
    const product = nearestLevels(x, 0, table, codes);
    let expected = 0;
    codes.forEach((code, i) => {
      assert(
        values.every((v) => Math.abs(x[i]! - values[code]!) <= Math.abs(x[i]! - v) + 1e-12),
        `${values[code]} for ${x[i]}`,
      );
      expected += x[i]! * values[code]!;
    });
    assertEquals(product, expected);
  }));
});

Deno.test("of two levels equally near the upper one is taken", () => {
  const codes = new Uint32Array(3);
  nearestLevels(Float32Array.of(0, -2, 2), 0, symmetricLevels([1, 3]), codes);
  assertEquals([...codes], [2, 1, 3]);
});

Deno.test("intervalOf is the last level that is not above", () => {
  const levels = Float64Array.of(-1, 0, 0, 2, 5);
  assertEquals([-1, -0.5, 0, 1.9, 2, 4, 9].map((x) => intervalOf(levels, 3, x)), [0, 0, 2, 2, 3, 3, 3]);
});

Deno.test("stochastic rounding to levels keeps the mean", () => {
  const levels = Float64Array.of(-1, 0, 3), x = Float32Array.of(-1, -0.25, 1, 3), draws = 20000;
  const codes = new Uint32Array(4), mean = new Float64Array(4);
  for (let i = 0; i < draws; i++) {
    bits(key(i), codes);
    stochasticRoundTo(x, 0, levels, codes);
    codes.forEach((code, j) => mean[j]! += levels[code]! / draws);
  }
  // Five deviations of at most 3/2 each.
  x.forEach((v, j) => assertAlmostEquals(mean[j]!, v, 7.5 / Math.sqrt(draws)));
});

Deno.test("putValues sets what addValues adds", () => {
  const codes = Uint32Array.of(2, 0), values = Float64Array.of(5, 6, 7), data = new Float32Array(3).fill(1);
  putValues(codes, values, data, 1);
  assertEquals([...data], [1, 7, 5]);
  addValues(codes, values, -2, data, 0);
  assertEquals([...data], [-13, -3, 5]);
});
