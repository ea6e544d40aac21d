import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, optimalSparsification } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, meanError, ones, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** Σ x² (1/p − 1) with p from a sort: the water-filling of the definition. */
function exact(x: Float32Array, k: number): number {
  const sorted = [...x].map(Math.abs).sort((a, b) => b - a);
  let certain = 0;
  const rest = () => sorted.slice(certain).reduceRight((sum, value) => sum + value, 0);
  while (certain < k && sorted[certain]! * (k - certain) > rest()) certain++;
  const level = certain < k ? rest() / (k - certain) : 0;
  return sorted.slice(certain).reduce((sum, value) => sum + value * Math.max(0, level - value), 0);
}

for (const k of [1, 4, 30]) {
  suite(optimalSparsification({ k }), { draws: 1000, error: (x) => exact(x, Math.min(k, x.length)), worst: ones });
}
suite(optimalSparsification({ ratio: 0.3 }), { draws: 1000 });

Deno.test("errors of (1, −2, 3, −4) as tabled, to 3 %", () => {
  for (const [k, expected] of [[1, 70], [2, 20], [3, 4]] as const) {
    assertAlmostEquals(exact(X, k), expected, 1e-9);
    assertAlmostEquals(meanError(optimalSparsification({ k }), X, 20000), expected, 0.03 * expected);
  }
  assertAlmostEquals(exact(Float32Array.of(10, 1, 1, 1), 2), 6, 1e-9);
  assertAlmostEquals(meanError(optimalSparsification({ k: 2 }), Float32Array.of(10, 1, 1, 1), 20000), 6, 0.18);
});

Deno.test("optimal probabilities: .2 .4 .6 .8 for k = 2, and k numbers are kept in the mean", () => {
  const compressor = optimalSparsification({ k: 2 }), kept = [0, 0, 0, 0];
  for (let i = 0; i < 20000; i++) {
    decompress(compressor, compress(compressor, X, key(i)), key(i), 4).forEach((value, j) => {
      if (value !== 0) kept[j]!++;
      assert(value === 0 || value === 5 * Math.sign(X[j]!));
    });
  }
  kept.forEach((count, j) => assertAlmostEquals(count / 20000, 0.2 * (j + 1), 0.02));
});

Deno.test("bytes are near the entropy of the positions", () => {
  // 1000 of 10000: 4690 bits of indices, and a sign each; few are certain.
  assert(8 * compress(optimalSparsification({ ratio: 0.1 }), gaussian(10000), key(2)).length < 6000);
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => optimalSparsification({ k: 0 }), RangeError, "Cannot make optimalSparsification: k is 0");
  const c = optimalSparsification({ k: 3 }),
    message = compress(c, X, key(1)),
    decode = (bytes: Uint8Array) => () => decompress(c, bytes, key(1), 4);
  assertThrows(decode(Uint8Array.of(...message, 0)), RangeError, `has ${message.length + 1} bytes, expected`);
  // The two counts have 3 bits each: 7 and 7.
  assertThrows(decode(message.slice().fill(255, 4, 5)), RangeError, "it has 7 + 7 of 4 numbers");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(optimalSparsification({ k: 3 }), X), "000040402c34000080c0");
});
