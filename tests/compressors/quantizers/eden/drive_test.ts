import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, drive, rotated, scaledSign } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { draws, encodeHex, gaussian, squaredNorm, twoHot, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

suite(drive({ biased: true }), { slack: 3e-5, draws: 1000 });

Deno.test("drive has the nominal errors on a gaussian vector: π/2 − 1, and 1 − 2/π biased", () => {
  const x = gaussian(8192);
  assertAlmostEquals(draws(drive({ biased: true }), x, 10).error / squaredNorm(x), 1 - 2 / Math.PI, 0.01);
  assertAlmostEquals(draws(drive(), x, 10).error / squaredNorm(x), Math.PI / 2 - 1, 0.015);
  assertAlmostEquals(drive().omega(8192), Math.PI / 2 - 1, 0.001);
});

Deno.test("drive, biased: α is what Khintchine's inequality leaves after the last signs, whatever came before", () => {
  // With the signs ε of the last round and the data y before it, rotated number j is Σᵢ εᵢ hⱼᵢ yᵢ, |hⱼᵢ| = 1/√d. The error is
  // 1 − ‖r‖₁² / (d ‖r‖²), and E‖r‖₁² ≥ (E‖r‖₁)² ≥ d (min E|Σ εᵢ aᵢ|)² over ‖a‖ = 1. That minimum is 1/√2 (Szarek 1976), of
  // (1, 1, 0, …)/√2, which is found here among all of a grid by enumerating signs; and one round reaches it.
  let least = Infinity;
  for (let code = 1; code < 3 ** 6; code++) {
    const a = Array.from({ length: 6 }, (_, i) => Math.floor(code / 3 ** i) % 3), norm = Math.hypot(...a);
    let mean = 0;
    for (let signs = 0; signs < 64; signs++) {
      mean += Math.abs(a.reduce((sum, value, i) => sum + ((signs >> i) & 1 ? value : -value), 0)) / 64;
    }
    least = Math.min(least, mean / norm);
  }
  assertAlmostEquals(least, Math.SQRT1_2, 1e-12);
  for (const size of [2, 33, 1000]) assert(drive({ biased: true }).alpha(size) >= 1 - least ** 2 - 1e-12);
  const one = rotated(scaledSign(), { rounds: 1 }), x = twoHot(64).map((value) => Math.min(1, value));
  assertAlmostEquals(draws(one, x, 100).error / squaredNorm(x), 1 / 2, 1e-5);
  // Of one number nothing is lost.
  assertEquals(drive({ biased: true }).alpha(1), 0);
});

Deno.test("zeros take their scales alone; messages are pinned", () => {
  assertEquals(compress(drive(), new Float32Array(10_000), key(1)).length, 2 * 4);
  assertEquals(encodeHex(drive(), X), "9a67764090");
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => drive({ biased: 1 as unknown as true }), TypeError, "biased is 1, expected true or false");
  assertThrows(
    () => decompress(drive(), Uint8Array.of(0, 0, 128, 63, 0, 0), key(1), 4),
    RangeError,
    "6 bytes, expected 5",
  );
});
