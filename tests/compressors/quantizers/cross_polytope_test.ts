import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, crossPolytope, decompress } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, meanError, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

const sumOfMagnitudes = (x: Float32Array) => x.reduce((sum, value) => sum + Math.abs(value), 0);

suite(crossPolytope({ draws: 1 }), {
  draws: 1000,
  error: (x) => sumOfMagnitudes(x) ** 2 - squaredNorm(x),
  worst: ones,
});
suite(crossPolytope({ draws: 7 }), {
  draws: 1000,
  error: (x) => (sumOfMagnitudes(x) ** 2 - squaredNorm(x)) / 7,
  worst: ones,
});
suite(crossPolytope({ draws: 3, norm: "l2" }), {
  draws: 1000,
  error: (x) => (x.length - 1) / 3 * squaredNorm(x),
  worst: ones,
});

Deno.test("errors of (1, −2, 3, −4) as tabled, to 3 %", () => {
  assertAlmostEquals(meanError(crossPolytope({ draws: 1, norm: "l2" }), X, 10000), 90, 2.7);
  assertAlmostEquals(meanError(crossPolytope({ draws: 1 }), X, 10000), 70, 2.1);
});

Deno.test("bits are those of a multiset of vertices", () => {
  const x = gaussian(1000), bits = (draws: number) => 8 * compress(crossPolytope({ draws }), x, key(1)).length;
  assertEquals(bits(1), 8 * (4 + 2));
  // 100 of 2000 with repetition: log₂ C(2099, 100) = 577.6; as a list 100 · 11.
  assert(bits(100) <= 32 + 582 + 7);
  for (const draws of [10, 100, 1000, 3000]) {
    // log₂ C(2 d + R − 1, R), by its factors.
    let set = 32;
    for (let j = 1; j <= draws; j++) set += Math.log2((2000 + j - 1) / j);
    const found = bits(draws);
    assert(found >= set - 1 && found <= set + 11, `${draws} draws take ${found} bits, stated ${set}`);
  }
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => crossPolytope({ draws: 0 }), RangeError, "draws is 0");
  assertThrows(() => crossPolytope({ draws: 1, norm: "max" as "l1" }), TypeError, "norm is");
  const zeros = new Uint8Array(5);
  assertThrows(() => decompress(crossPolytope({ draws: 1 }), zeros, key(1), 4), RangeError, "5 bytes, expected 4");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(crossPolytope({ draws: 3 }), X), "000020411f00");
  assertEquals(encodeHex(crossPolytope({ draws: 3, norm: "l2" }), X), "6f452f412f00");
});
