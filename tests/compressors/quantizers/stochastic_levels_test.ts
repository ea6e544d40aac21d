import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, stochasticLevels } from "../../../compressors/mod.ts";
import { adversarialKinds } from "../../../testing/vectors.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

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
  suite(stochasticLevels({ levels }), {
    kinds,
    error: exact(levels),
    lattice: (decoded) => new Set(decoded).size <= levels,
    worst: (size) => levels > 2 || size < 3 ? undefined : new Float32Array(size).fill(1, 0, 1).fill(-1, 1, 2),
  });
}

Deno.test("stochastic levels: 20 for two, 4/3 for four on the table's vector; (1, −1, 0, …) is the worst", () => {
  assertAlmostEquals(assertUnbiased(stochasticLevels({ levels: 2 }), X, 40_000).error, 20, 0.6);
  assertAlmostEquals(assertUnbiased(stochasticLevels({ levels: 4 }), X, 40_000).error, 4 / 3, 0.04);
  for (const levels of [2, 4, 16]) {
    const x = new Float32Array(1000), c = stochasticLevels({ levels });
    x[0] = 1, x[999] = -1;
    assertAlmostEquals(draws(c, x, 500).error / squaredNorm(x), c.omega(1000), 0.03 * c.omega(1000));
  }
});

Deno.test("⌈log₂ k⌉ bits a number, two for a constant vector; messages are pinned", () => {
  assertEquals(compress(stochasticLevels({ levels: 2 }), gaussian(1000), key(1)).length, 8 + 125);
  assertEquals(compress(stochasticLevels({ levels: 16 }), gaussian(1000), key(1)).length, 8 + 500);
  assertEquals(compress(stochasticLevels({ levels: 3 }), gaussian(1000), key(1)).length, 8 + 200); // 5 digits a byte
  assertEquals(compress(stochasticLevels({ levels: 6 }), gaussian(999), key(1)).length, 8 + 333); // 3 digits a byte
  assertEquals(compress(stochasticLevels({ levels: 16 }), new Float32Array(9).fill(3), key(1)).length, 8);
  assertEquals(encodeHex(stochasticLevels({ levels: 2 }), X), "000080c00000404020");
  assertEquals(encodeHex(stochasticLevels({ levels: 5 }), X), "000080c0000040406b00");
});

Deno.test("a mutant with k instead of k − 1 steps is caught", () => {
  const c = stochasticLevels({ levels: 4 });
  const mutant: Compressor = { ...c, decodeAdd: (m, k, scale, into) => c.decodeAdd(m, k, scale * 3 / 4, into) };
  assert(draws(mutant, X, 1000).deviation > 30);
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => stochasticLevels({ levels: 1 }), RangeError, "levels is 1");
  const bytes = new Uint8Array(9);
  bytes[3] = 64;
  assertThrows(
    () => stochasticLevels({ levels: 2 }).decodeAdd(bytes, key(1), 1, new Float32Array(4)),
    RangeError,
    "above",
  );
});
