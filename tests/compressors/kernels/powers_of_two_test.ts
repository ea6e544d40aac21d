import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { addPowers, ditherToPowers, roundToPowers } from "../../../compressors/kernels/powers_of_two.ts";
import { bits, key } from "../../../random.ts";

const wordsOf = (x: Float32Array) => new Uint32Array(x.buffer);

Deno.test("numbers become one of the two powers of two around, with the number as the mean", () => {
  const x = Float32Array.of(1.25, -3, 2 ** -127, 5 * 2 ** -149, -(2 ** -126 - 2 ** -149), 0), draws = 20000;
  const codes = new Uint32Array(6), small = new Uint8Array(6), mean = new Float64Array(6), y = new Float32Array(6);
  for (let i = 0; i < draws; i++) {
    bits(key(i), codes);
    const count = roundToPowers(wordsOf(x), 0, codes, small);
    assertEquals(addPowers(codes, small, 0, 1, y.fill(0), 0), count);
    y.forEach((v, j) => {
      assert(v === 0 ? x[j] === 0 : Number.isInteger(Math.log2(Math.abs(v))) && Math.sign(v) === Math.sign(x[j]!));
      assert(Math.abs(v) <= 2 * Math.abs(x[j]!) && Math.abs(v) >= Math.abs(x[j]!) / 2);
      mean[j]! += v / draws;
    });
  }
  // Five deviations of at most a third of the number.
  x.forEach((v, j) => assertAlmostEquals(mean[j]! / (v || 1), v === 0 ? 0 : 1, 5 / 3 / Math.sqrt(draws)));
});

Deno.test("powers of two and zeros are kept, the largest numbers stay finite", () => {
  const x = Float32Array.of(1, -2, 2 ** -149, 2 ** 127, 0, -0, 3.4e38), codes = new Uint32Array(7).fill(2 ** 32 - 1);
  const small = new Uint8Array(7), y = new Float32Array(7);
  assertEquals(roundToPowers(wordsOf(x), 0, codes, small), 1);
  addPowers(codes, small, 0, 1, y, 0);
  assertEquals([...y], [1, -2, 2 ** -149, 2 ** 127, 0, 0, 2 ** 127]);
});

Deno.test("levels below a norm: zero and powers of two, with the number as the mean", () => {
  const x = Float32Array.of(1, -0.6, 0.3, 0.05, 0, -4), levels = 3, draws = 20000;
  const codes = new Uint32Array(6), mean = new Float64Array(6);
  for (let i = 0; i < draws; i++) {
    bits(key(i), codes);
    ditherToPowers(x, 0, 1, levels, codes);
    codes.forEach((code, j) => {
      const level = code - levels;
      mean[j]! += Math.sign(level) * (level === 0 ? 0 : 2 ** (Math.abs(level) - levels)) / draws;
    });
  }
  // Five deviations of at most a quarter; −4 is beyond the norm.
  [1, -0.6, 0.3, 0.05, 0, -1].forEach((v, j) => assertAlmostEquals(mean[j]!, v, 1.25 / Math.sqrt(draws)));
});
