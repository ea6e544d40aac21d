import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { bernoulli, compress, decompress } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, meanError, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

suite(bernoulli({ p: 0.5 }), { draws: 1000, error: squaredNorm, worst: ones });
// Each number is kept 30 times in 1000 draws, just as often as the suite asks for.
suite(bernoulli({ p: 0.03 }), { draws: 1000, error: (x) => squaredNorm(x) * (1 / 0.03 - 1) });
suite(bernoulli({ p: 0.25, whole: true }), { draws: 1000, error: (x) => 3 * squaredNorm(x) });

Deno.test("the error of (1, −2, 3, −4) is 30 at p = ½, in every draw", () => {
  assertAlmostEquals(meanError(bernoulli({ p: 0.5 }), X, 2000), 30, 1e-9);
});

Deno.test("4 bytes for each number that is kept", () => {
  assertAlmostEquals(compress(bernoulli({ p: 0.1 }), gaussian(10000), key(2)).length / 4, 1000, 150);
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => bernoulli({ p: 0 }), RangeError, "p is 0");
  assertThrows(() => bernoulli({ p: 1.1 }), RangeError, "p is 1.1");
  assertThrows(() => decompress(bernoulli({ p: 0.5 }), new Uint8Array(7), key(1), 4), RangeError, "7 bytes");
  const huge = new Uint8Array(Float32Array.of(3e38, 3e38, 3e38).buffer);
  assertThrows(() => decompress(bernoulli({ p: 0.5 }), huge, key(1), 4), RangeError, "expected a finite number");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(bernoulli({ p: 0.5 }), X), "0000803f000000c000004040");
});
