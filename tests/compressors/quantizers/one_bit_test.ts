import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, decompress, oneBit } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { draws, encodeHex, gaussian, once, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** Sums of magnitudes S and counts n of the numbers ≥ 0 and < 0: the error is ‖x‖² − S₊²/n₊ − S₋²/n₋. */
function exact(x: Float32Array): number {
  const part = (values: Float32Array) => {
    const sum = values.reduce((s, v) => s + v, 0);
    return values.length === 0 ? 0 : sum * sum / values.length;
  };
  return squaredNorm(x) - part(x.filter((v) => v >= 0)) - part(x.filter((v) => v < 0));
}

suite(oneBit(), {
  error: exact,
  lattice: (decoded) => new Set(decoded).size <= 2,
  // One large number among small ones of its sign.
  worst: (size) => new Float32Array(size).fill(1, 0, 1),
});

Deno.test("oneBit: error 4 on the table's vector, 1 − 2/π on gaussians, 1 − 1/d on one-hot", () => {
  assertAlmostEquals(draws(oneBit(), X, 1).error, 4);
  assertEquals([...once(oneBit(), X)], [2, -3, 2, -3]);
  const x = gaussian(100_000);
  assertAlmostEquals(draws(oneBit(), x, 1).error / squaredNorm(x), 1 - 2 / Math.PI, 0.005);
  assertAlmostEquals(draws(oneBit(), Float32Array.of(1, 0, 0, -0), 1).error, 0.75);
});

Deno.test("one bit a number and two means; the message is pinned", () => {
  assertEquals(compress(oneBit(), gaussian(1000), key(1)).length, 8 + 125);
  assertEquals(encodeHex(oneBit(), X), "00000040000040c050");
});

Deno.test("a mutant that takes one mean of magnitudes for both signs is caught", () => {
  const c = oneBit();
  const mutant: Compressor = {
    ...c,
    decodeAdd: (m, _k, scale, into) => into.forEach((_, i) => into[i]! += scale * (m[8]! << i & 128 ? -2.5 : 2.5)),
  };
  assert(draws(mutant, X, 1).error > 4.5);
});

Deno.test("foreign messages are refused", () => {
  assertThrows(() => decompress(oneBit(), new Uint8Array(8), key(1), 4), RangeError, "8 bytes, expected 9");
  const message = compress(oneBit(), X, key(1)).slice();
  message[8]! |= 1;
  assertThrows(() => decompress(oneBit(), message, key(1), 4), RangeError, "bits set after its last");
});
