import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, ternGrad } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

// Slack: rounding up the small numbers of a vector of huge dynamic range is too rare to be seen.
suite(ternGrad(), { slack: 1e-5 });
suite(ternGrad({ clip: 2.5 }), { slack: 1e-5 });

Deno.test("ternGrad has the exact variance of the table's vector, and its ω is attained", () => {
  assertAlmostEquals(assertUnbiased(ternGrad(), X, 40_000).error, 10, 0.3);
  // One number 1, the others 1 / (1 + √d).
  const x = new Float32Array(64).fill(1 / 9).fill(1, 0, 1), norm = 1 + 63 / 81;
  assertAlmostEquals(draws(ternGrad(), x, 4000).error / norm, ternGrad().omega(64), 0.03 * ternGrad().omega(64));
});

Deno.test("five numbers in a byte: 1.6 bits a number; the message is pinned", () => {
  assertEquals(compress(ternGrad(), gaussian(1000), key(1)).length, 4 + 200);
  assertEquals(encodeHex(ternGrad(), X), "0000804013");
});

Deno.test("clipping TernGrad lowers the variance, keeps constants, and declares no ω", () => {
  const c = ternGrad({ clip: 2.5 }), x = gaussian(2000);
  assert(!("omega" in c) && "omega" in ternGrad());
  assert(draws(c, x, 200).error < 0.8 * draws(ternGrad(), x, 200).error);
  assertEquals(draws(c, new Float32Array(10).fill(-2), 10).worst, 0);
});

Deno.test("ternGrad clips at so many standard deviations, whatever the unit", () => {
  for (const unit of [1e-3, 1, 50]) {
    const x = gaussian(2000).map((z) => unit * z), mean = x.reduce((sum, v) => sum + v, 0) / 2000;
    const deviation = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 2000);
    const message = compress(ternGrad({ clip: 2 }), x, key(1)), view = new DataView(message.buffer, message.byteOffset);
    assertAlmostEquals(view.getFloat32(0, true), 2 * deviation, 2e-5 * deviation);
  }
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => ternGrad({ clip: 0 }), RangeError, "clip is 0");
  const byte255 = Uint8Array.of(0, 0, 0, 64, 255);
  assertThrows(() => decompress(ternGrad(), byte255, key(1), 4), RangeError, "a byte is 255, expected less than 243");
});
