import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, stochasticLevels, variableLength } from "../../../compressors/mod.ts";
import { compressorProperties } from "../../../testing/compressor.ts";
import { adversarialKinds } from "../../../testing/vectors.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, squaredNorm, X } from "../draws.ts";

/** D² Σ frac(v)(1 − frac(v)) for k levels from the least to the largest number. */
const exact = (k: number) => (x: Float32Array) => {
  const least = Math.min(...x), step = (Math.max(...x) - least) / (k - 1);
  return step === 0 ? 0 : x.reduce((sum, v) => {
    const at = (v - least) / step, frac = at - Math.floor(at);
    return sum + step * step * frac * (1 - frac);
  }, 0);
};

/** Without huge dynamic range, where rounding up the small numbers is too rare to be seen. */
const kinds = adversarialKinds.filter((kind) => !["dynamic", "subnormal", "largest"].includes(kind));

for (const levels of [2, 5]) {
  const c = stochasticLevels({ levels });
  for (
    const { name, check } of compressorProperties(c, {
      kinds,
      error: exact(levels),
      lattice: (decoded) => new Set(decoded).size <= levels,
      worst: (size) =>
        levels > 2 || size < 3
          ? undefined
          : Float32Array.from({ length: size }, (_, i) => i === 0 ? 1 : i === 1 ? -1 : 0),
    })
  ) Deno.test(name, check);
}
for (
  const { name, check } of compressorProperties(variableLength(), {
    kinds,
    // At 64 numbers the step is √2 ‖x‖ / 8, here 2.02: all but the least are half-way between levels.
    sizes: [0, 1, 2, 3, 7, 8, 9, 64, 127, 1000],
    worst: (size) => size === 64 ? Float32Array.from({ length: 64 }, (_, i) => i < 1 ? -2 : i < 9 ? 3 : 1) : undefined,
  })
) Deno.test(name, check);

Deno.test("stochastic levels: 20 for two, 4/3 for four on the table's vector; (1, −1, 0, …) is the worst", () => {
  assertAlmostEquals(assertUnbiased(stochasticLevels({ levels: 2 }), X, 40_000).error, 20, 0.6);
  assertAlmostEquals(assertUnbiased(stochasticLevels({ levels: 4 }), X, 40_000).error, 4 / 3, 0.04);
  for (const levels of [2, 4, 16]) {
    const x = new Float32Array(1000), c = stochasticLevels({ levels });
    x[0] = 1, x[999] = -1;
    assertAlmostEquals(draws(c, x, 500).error / squaredNorm(x), c.omega(1000), 0.03 * c.omega(1000));
  }
});

Deno.test("variable length: 1.54 to 1.77 bits a number, as zero lies on the grid, at error 1/3 on gaussians", () => {
  const x = gaussian(65536), c = variableLength(), bits = 8 * compress(c, x, key(1)).length / x.length;
  assert(1.5 < bits && bits < 1.78, `${bits} bits`);
  // Published bound: 2 + log₂((k − 1)² / 2d + 5/4) + (k / d) log₂((d + k) e / k) bits a number, k = √d + 1.
  const k = 257, bound = 2 + Math.log2(256 ** 2 / 2 / 65536 + 1.25) + k / 65536 * Math.log2((65536 + k) * Math.E / k);
  assert(bits < bound);
  const relative = draws(c, x, 10).error / squaredNorm(x);
  assert(0.32 < relative && relative < 0.35 && relative < c.omega(x.length), `${relative}`);
  assertUnbiased(c, gaussian(100), 4000);
});

Deno.test("⌈log₂ k⌉ bits a number, two for a constant vector; messages are pinned", () => {
  assertEquals(compress(stochasticLevels({ levels: 2 }), gaussian(1000), key(1)).length, 8 + 125);
  assertEquals(compress(stochasticLevels({ levels: 16 }), gaussian(1000), key(1)).length, 8 + 500);
  assertEquals(compress(stochasticLevels({ levels: 16 }), new Float32Array(9).fill(3), key(1)).length, 8);
  assertEquals(encodeHex(stochasticLevels({ levels: 2 }), X), "000080c00000404020");
  assertEquals(encodeHex(stochasticLevels({ levels: 5 }), X), "000080c0000040406b00");
  assertEquals(encodeHex(variableLength(), X), "6f45af40000080c0398c");
});

Deno.test("a mutant with k instead of k − 1 steps is caught", () => {
  const c = stochasticLevels({ levels: 4 });
  const mutant: Compressor = { ...c, decodeAdd: (m, k, scale, into) => c.decodeAdd(m, k, scale * 3 / 4, into) };
  assert(draws(mutant, X, 1000).deviation > 30);
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => stochasticLevels({ levels: 1 }), RangeError, "levels is 1");
  assertThrows(() => variableLength({ levels: 1 }), RangeError, "levels is 1");
  const bytes = new Uint8Array(9);
  bytes[3] = 64;
  assertThrows(
    () => stochasticLevels({ levels: 2 }).decodeAdd(bytes, key(1), 1, new Float32Array(4)),
    RangeError,
    "above",
  );
});
