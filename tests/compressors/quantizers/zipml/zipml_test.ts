import { cost } from "./cost.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, stochasticLevels, zipml } from "../../../../compressors/mod.ts";
import { adversarialKinds } from "../../../../testing/vectors.ts";
import { key } from "../../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, once, squaredNorm, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

/** The levels of a message, least and largest first in it. */
function levelsOf(message: Uint8Array, k: number): number[] {
  const view = new DataView(message.buffer, message.byteOffset);
  return Array.from({ length: k }, (_, i) => view.getFloat32(4 * i, true)).sort((a, b) => a - b);
}

const VALUES = Float32Array.of(0, 1, 2, 3, 10, 11, 12, 20);
const kinds = adversarialKinds.filter((kind) => !["dynamic", "subnormal", "largest"].includes(kind));

for (const levels of [2, 4]) {
  const c = zipml({ levels });
  suite(c, {
    kinds, // without huge dynamic range, where rounding up the small numbers is too rare to be seen
    draws: 1000,
    lattice: (decoded) => new Set(decoded).size <= levels,
    error: (x) =>
      levels === 2 ? cost(x, [Math.min(...x), Math.max(...x)]) : cost(x, levelsOf(compress(c, x, key(1)), 4)),
  });
}

Deno.test("zipml finds the optimum: 70 with three levels, 19 with four on the table's values, 6 on its vector", () => {
  const three = levelsOf(compress(zipml({ levels: 3 }), VALUES, key(1)), 3);
  const four = levelsOf(compress(zipml({ levels: 4 }), VALUES, key(1)), 4);
  assertEquals([three, cost(VALUES, three)], [[0, 11, 20], 70]);
  assertEquals([four, cost(VALUES, four)], [[0, 3, 11, 20], 19]);
  assertAlmostEquals(cost(VALUES, [0, 20 / 3, 40 / 3, 20]), 54.33, 0.01);
  assertAlmostEquals(assertUnbiased(zipml({ levels: 3 }), VALUES, 20_000).error, 70, 2.1);
  assertAlmostEquals(assertUnbiased(zipml({ levels: 3 }), X, 20_000).error, 6, 0.18);
});

Deno.test("no variance where levels suffice; messages are pinned", () => {
  assertEquals(draws(zipml({ levels: 8 }), VALUES, 20).worst, 0);
  assertEquals([...once(zipml({ levels: 16 }), VALUES)], [...VALUES]);
  assertEquals(encodeHex(zipml({ levels: 3 }), X), "000080c000004040000000c017");
  assertEquals(compress(zipml({ levels: 5 }), gaussian(999), key(1)).length, 4 * 5 + 333); // 3 digits a byte
});

Deno.test("a mutant with equal spacing is caught", () => {
  const mutant: Compressor = stochasticLevels({ levels: 4 });
  assert(draws(mutant, VALUES, 5000).error > 2 * 19);
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => zipml({ levels: 1 }), RangeError, "levels is 1");
  assertThrows(() => zipml({ levels: 257 }), RangeError, "levels is 257");
  const bytes = compress(zipml({ levels: 3 }), X, key(1)).slice();
  bytes[11] = 0xff, bytes[10] = 0xff;
  assertThrows(() => zipml({ levels: 3 }).decodeAdd(bytes, key(1), 1, new Float32Array(4)), RangeError, "scale");
});

Deno.test("ω is reached by two levels, where zeros lie between two opposite numbers", () => {
  for (const size of [4, 61]) {
    const c = zipml({ levels: 2 }), x = new Float32Array(size);
    x[0] = 1, x[1] = -1;
    // Each zero becomes ± 1: (d − 2) of a squared norm of 2, in every draw.
    assertAlmostEquals(draws(c, x, 10).error / squaredNorm(x), (size - 2) / 2, 1e-9);
    assertAlmostEquals(c.omega(size), (size - 2) / 2, 1e-12);
  }
});
