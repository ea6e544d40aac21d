import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, randK, repeated, sparseDithering } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

suite(repeated(randK({ k: 2 }), 3), {
  draws: 700,
  error: (x) => randK({ k: 2 }).omega(x.length) / 3 * squaredNorm(x),
  worst: ones,
});
suite(repeated(sparseDithering({ nu: 1 }), 2), { draws: 700 });

Deno.test("repeated: ω is divided by the number of draws, whose messages follow one another", () => {
  assertEquals(repeated(randK({ k: 1 }), 4).omega(9), 2);
  assertEquals(compress(repeated(randK({ k: 4 }), 3), gaussian(64), key(1)).length, 3 * 16 + 1);
});

Deno.test("repeated: no draws at all are refused", () => {
  assertThrows(() => repeated(randK({ k: 1 }), 0), RangeError, "times is 0, expected an integer from 1 to 65536");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(repeated(randK({ k: 1 }), 2), X), "0000004040000080c0");
});
