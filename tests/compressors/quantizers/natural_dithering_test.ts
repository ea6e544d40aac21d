import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, naturalDithering } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

// Slack: rounding up the small numbers of a vector of huge dynamic range is too rare to be seen.
suite(naturalDithering({ levels: 3 }), { slack: 1e-5 });
suite(naturalDithering({ levels: 2, norm: "l2" }), { slack: 1e-5 });

Deno.test("variances are the exact ones of the table", () => {
  // 40 000 draws: standard error under 0.7 %, limit 3 %.
  for (const [norm, errors] of [["max", [10, 2, 1]], ["l2", [24.772256, 5.726707, 3.346013]]] as const) {
    errors.forEach((error, i) => {
      assertAlmostEquals(
        assertUnbiased(naturalDithering({ levels: i + 1, norm }), X, 40_000).error,
        error,
        0.03 * error,
      );
    });
  }
});

Deno.test("ω is attained by the worst vectors", () => {
  for (const [size, levels] of [[64, 1], [500, 3], [10_000, 5]] as const) {
    const c = naturalDithering({ levels }), l = 2 ** (1 - levels);
    const x = new Float32Array(size).fill(l / (1 + Math.sqrt(1 + (size - 1) * l * l)));
    x[1] = 1;
    assertAlmostEquals(draws(c, x, 2000).error / squaredNorm(x), c.omega(size), 0.05 * c.omega(size));
  }
  // Euclidean norm, all equal: √d l − 1.
  const c = naturalDithering({ levels: 2, norm: "l2" }), equal = new Float32Array(400).fill(3);
  assertAlmostEquals(c.omega(400), 9);
  assertAlmostEquals(draws(c, equal, 2000).error / squaredNorm(equal), 9, 0.3);
});

Deno.test("4 bits a number at 7 levels; messages are pinned", () => {
  assertEquals(compress(naturalDithering({ levels: 7 }), gaussian(1000), key(1)).length, 504);
  assertEquals(encodeHex(naturalDithering({ levels: 3 }), X), "000080408680");
  assertEquals(encodeHex(naturalDithering({ levels: 7, norm: "l2" }), X), "6f45af40b2d0");
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => naturalDithering({ levels: 0 }), RangeError, "levels is 0");
  assertThrows(() => naturalDithering({ levels: 128 }), RangeError, "levels is 128");
  assertThrows(() => naturalDithering({ levels: 1, norm: "l1" as "l2" }), TypeError, 'norm is "l1"');
  const short = new Uint8Array(5).fill(64);
  assertThrows(() => decompress(naturalDithering({ levels: 3 }), short, key(1), 4), RangeError, "5 bytes, expected 6");
});
