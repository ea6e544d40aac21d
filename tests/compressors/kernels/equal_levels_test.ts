import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { addLevels, addSigned, roundHalfUp, stochasticRound } from "../../../compressors/kernels/equal_levels.ts";
import { bits, key } from "../../../random.ts";

Deno.test("stochastic rounding takes one of the two levels around, with the number as their mean", () => {
  const x = Float32Array.of(0, 0.25, 1, 2.9, 5, -1),
    codes = new Uint32Array(6),
    mean = new Float64Array(6),
    draws = 20000;
  for (let i = 0; i < draws; i++) {
    bits(key(i), codes);
    stochasticRound(x, 0, 2, 0, 8, codes);
    codes.forEach((code, j) => {
      assert(code === Math.min(8, Math.max(0, Math.floor(2 * x[j]!))) || code === Math.min(8, Math.ceil(2 * x[j]!)));
      mean[j]! += code / draws;
    });
  }
  // Five deviations of at most 1/2 each; 5 and −1 are held within 0 … 8.
  [0, 0.5, 2, 5.8, 8, 0].forEach((expected, j) => assertAlmostEquals(mean[j]!, expected, 2.5 / Math.sqrt(draws)));
});

Deno.test("the random word decides: at u = 0 down, and up as soon as it reaches the rest", () => {
  const codes = Uint32Array.of(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1);
  stochasticRound(Float32Array.of(9, 1.5, 1.5, 1.5, 1.5), 1, 1, 0, 7, codes);
  assertEquals([...codes], [1, 1, 2, 2]);
});

Deno.test("roundHalfUp, addLevels and addSigned", () => {
  const codes = new Uint32Array(4), into = new Float32Array(5).fill(1);
  roundHalfUp(Float32Array.of(-1, -0.5, 0.5, 1), 1, 3, codes);
  assertEquals([...codes], [2, 3, 4, 4]);
  addLevels(codes, -1, 0.5, into, 1);
  assertEquals([...into], [1, 1, 1.5, 2, 2]);
  addSigned(codes, 3, 2, into, 1);
  assertEquals([...into], [1, -1, 1.5, 4, 4]);
});
