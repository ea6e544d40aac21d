import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { decompress, optimalSparsification, randomizedMean } from "../../../compressors/mod.ts";
import { waterLevel } from "../../../compressors/kernels/water_filling.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, meanError, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** Half of the numbers −1, half 1: the centre is 0. */
const signs = (size: number) => size % 2 === 1 ? undefined : ones(size).map((_, i) => i % 2 === 1 ? 1 : -1);

/** ‖x − mean‖². */
const centred = (x: Float32Array) => {
  const mean = x.reduce((sum, value) => sum + value, 0) / Math.max(1, x.length);
  return squaredNorm([...x].map((value) => value - mean));
};

/** Σ x² (1/p − 1) of optimal probabilities. */
const optimal = (x: Float32Array, k: number) => {
  const level = waterLevel(x, k);
  return x.reduce((sum, value) => sum + Math.abs(value) * Math.max(0, level - Math.abs(value)), 0);
};

suite(randomizedMean({ k: 3, probabilities: "uniform" }), {
  draws: 1000,
  error: (x) => Math.max(0, x.length / 3 - 1) * centred(x),
  worst: signs,
});
suite(randomizedMean({ k: 3, centre: "zero" }), { draws: 1000, error: (x) => optimal(x, 3), worst: ones });
suite(randomizedMean({ ratio: 0.4 }), { draws: 1000, worst: signs });

Deno.test("errors of (1, −2, 3, −4) as tabled, to 3 %", () => {
  const zero = randomizedMean({ k: 2, probabilities: "uniform", centre: "zero" });
  assertAlmostEquals(meanError(zero, X, 10000), 30, 0.9);
  assertAlmostEquals(meanError(randomizedMean({ k: 2, probabilities: "uniform" }), X, 10000), 29, 0.87);
});

Deno.test("a common part costs nothing, and the best centre beats the mean and zero", () => {
  const x = gaussian(200, 4).map((z) => 10 + Math.exp(z)), k = 20;
  const errors = [
    randomizedMean({ k }),
    randomizedMean({ k, probabilities: "uniform" }),
    optimalSparsification({ k }),
  ].map((compressor) => meanError(compressor, x, 400));
  assert(errors[0]! < 0.6 * errors[1]! && errors[1]! < 0.1 * errors[2]!, errors.join());
  assertEquals(meanError(randomizedMean({ k: 1 }), new Float32Array(9).fill(-3), 3), 0);
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => randomizedMean({ k: 1, centre: "mean" as "zero" }), TypeError, "centre is");
  assertThrows(() => randomizedMean({ k: 0 }), RangeError, "Cannot make randomizedMean: k is 0");
  assertThrows(() => decompress(randomizedMean({ k: 1 }), new Uint8Array(3), key(1), 4), RangeError, "3 bytes");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(randomizedMean({ k: 2 }), X), "000000bf0000a0400960");
  assertEquals(encodeHex(randomizedMean({ k: 1, probabilities: "uniform" }), X), "000000bf0000c03f");
});
