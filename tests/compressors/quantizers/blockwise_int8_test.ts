import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { blockwiseInt8, compress, decompress } from "../../../compressors/mod.ts";
import { fold, key } from "../../../random.ts";
import { draws, encodeHex, gaussian, once, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

suite(blockwiseInt8({ block: 7 }), { slack: 1e-5 });
suite(blockwiseInt8({ block: 64, rounding: "random" }), { slack: 1e-5 });

Deno.test("the constants of blocks are attained", () => {
  for (const block of [64, 256, 4096]) {
    const nearest = blockwiseInt8({ block }), random = blockwiseInt8({ block, rounding: "random" });
    const x = new Float32Array(block).fill(0.49999);
    x[5] = 127;
    assertAlmostEquals(draws(nearest, x, 1).error / squaredNorm(x), nearest.alpha(block), 1e-3 * nearest.alpha(block));
    const y = new Float32Array(block).fill(1 / (1 + Math.sqrt(1 + (block - 1) / 127 ** 2)));
    y[5] = 127;
    assertAlmostEquals(draws(random, y, 500).error / squaredNorm(y), random.omega(block), 0.03 * random.omega(block));
  }
  assertAlmostEquals(blockwiseInt8({ block: 4096, rounding: "random" }).omega(1e6), 0.0599, 1e-4);
  const z = gaussian(100_000);
  assertAlmostEquals(draws(blockwiseInt8(), z, 1).error / squaredNorm(z), 4.9e-5, 1e-6);
});

Deno.test("a small number keeps its digits beside a large one of another block", () => {
  // With one scale for the whole vector small blocks lose everything.
  const y = gaussian(1000).map((z, i) => i < 64 ? 1000 * z : z);
  const lost = (block: number) =>
    squaredNorm(once(blockwiseInt8({ block }), y).subarray(64).map((v, i) => v - y[64 + i]!));
  assert(lost(1000) > 100 * lost(64));
});

Deno.test("at random the errors of equal blocks are uncorrelated", () => {
  const block = 64, c = blockwiseInt8({ block, rounding: "random" }), part = gaussian(block), x = new Float32Array(128);
  x.set(part), x.set(part, block);
  let product = 0, squares = 0;
  for (let i = 0; i < 200; i++) {
    const k = fold(key(29), i), y = decompress(c, compress(c, x, k), k, 128);
    for (let j = 0; j < block; j++) {
      product += (y[j]! - x[j]!) * (y[j + block]! - x[j + block]!), squares += (y[j]! - x[j]!) ** 2;
    }
  }
  // 12 800 products: a standard error is below 0.01.
  assert(Math.abs(product) < 0.08 * squares, `a correlation of ${product / squares}`);
});

Deno.test("messages are pinned", () => {
  assertEquals(encodeHex(blockwiseInt8({ block: 64 }), X), "000080409f40de00");
  assertEquals(encodeHex(blockwiseInt8({ block: 3, rounding: "random" }), X), "00004040a92afe0000804000");
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => blockwiseInt8({ block: 0 }), RangeError, "block is 0");
  assertThrows(() => blockwiseInt8({ rounding: "up" as "nearest" }), TypeError, 'rounding is "up"');
  const message = compress(blockwiseInt8(), X, key(1)), into = new Float32Array(4);
  assertThrows(
    () => blockwiseInt8().decodeAdd(message.slice(0, 7), key(1), 1, into),
    RangeError,
    "7 bytes, expected 8",
  );
});
