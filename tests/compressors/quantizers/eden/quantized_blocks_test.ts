import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { quantizedBlocks, quantizedOmega } from "../../../../compressors/quantizers/eden/quantized_blocks.ts";
import { DISTORTION } from "../../../../compressors/quantizers/eden/lloyd_max.ts";
import { key } from "../../../../random.ts";
import { draws, gaussian, squaredNorm } from "../../tools/draws.ts";

/** The distortion of n bits: linear between the whole numbers of bits. */
const distortion = (bits: number) => {
  const high = Math.ceil(bits), part = bits - high + 1;
  return (1 - part) * DISTORTION[high - 1]! + part * DISTORTION[high]!;
};

Deno.test("ω is D / (1 − D), and the error of the other scale is D", () => {
  const x = gaussian(8192);
  for (const bits of [1, 2.5, 4]) {
    const D = distortion(bits);
    assertAlmostEquals(quantizedOmega(bits, 8192), D / (1 - D), 1e-3 * D);
    const error = (biased: boolean) =>
      draws({ ...quantizedBlocks("test", bits, biased), options: {} }, x, 10).error / squaredNorm(x);
    assertAlmostEquals(error(false), D / (1 - D), 0.03 * D);
    assertAlmostEquals(error(true), D, 0.03 * D);
  }
});

Deno.test("ω with less than a bit includes what the scale's variance adds, unless all numbers are sent", () => {
  assert(quantizedOmega(0.1, 256) > 1 / (1 - distortion(32 / 256)) - 1 + 0.3);
  // At least 32 numbers are sent: all of these.
  assertEquals(quantizedOmega(0.1, 20), quantizedOmega(1, 20));
});

Deno.test("a message has at most the declared bytes, and zeros take the scales alone", () => {
  const { maxByteLength, encode } = quantizedBlocks("test", 1.5, false);
  for (const size of [0, 1, 33, 1000, 9000]) {
    const message = new Uint8Array(maxByteLength(size));
    assertEquals(encode(gaussian(size), key(1), message), maxByteLength(size));
  }
  assertEquals(encode(new Float32Array(9000), key(1), new Uint8Array(maxByteLength(9000))), 8);
});
