import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { decompress, scaledSign } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, once, oneHot, squaredDistance, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

const ofBlock = (block?: number) => scaledSign(block === undefined ? {} : { block });
const error = (x: Float32Array, block?: number) => squaredDistance(once(ofBlock(block), x), x);

/** Σ over blocks of ‖x‖² − ‖x‖₁² / d. */
function exactError(x: Float32Array, block: number): number {
  let total = 0;
  for (let from = 0; from < x.length; from += block) {
    const part = [...x.subarray(from, from + block)], sum = part.reduce((s, value) => s + Math.abs(value), 0);
    total += Math.max(0, part.reduce((s, value) => s + value * value, 0) - sum * sum / part.length);
  }
  return total;
}

for (const block of [undefined, 1, 5, 64]) {
  suite(ofBlock(block), {
    error: (x) => exactError(x, block ?? Math.max(1, x.length)),
    lattice: (values, x) => {
      const length = block ?? Math.max(1, x.length);
      return values.every((value, i) => {
        const first = values[i - i % length]!;
        return Math.abs(value) === Math.abs(first) && (value === 0 || x[i] === 0 || (value < 0) === (x[i]! < 0));
      });
    },
    worst: (size) => new Float32Array(size).fill(1, 0, 1),
  });
}

Deno.test("errors as tabled: (1, −2, 3, −4) 5, one-hot 1 − 1/d, all equal 0, gaussian 1 − 2/π", () => {
  assertEquals(error(X), 5);
  assertEquals(error(X, 2), 1);
  assertAlmostEquals(error(oneHot(100)), 0.99, 1e-6);
  assertEquals(error(new Float32Array(9).fill(-0.5)), 0);
  assertAlmostEquals(error(gaussian(1e5, 2)) / 1e5, 1 - 2 / Math.PI, 0.005);
});

Deno.test("golden messages: zeros count as positive", () => {
  assertEquals(encodeHex(scaledSign(), X), "0000204050");
  assertEquals(encodeHex(scaledSign({ block: 3 }), Float32Array.of(0, -0, -3, 7, -7)), "0000803f200000e04040");
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => scaledSign({ block: 0 }), RangeError, "block is 0");
  assertThrows(() => decompress(scaledSign(), new Uint8Array(6), key(1), 4), RangeError, "6 bytes, expected 5");
  assertThrows(() => decompress(scaledSign(), new Uint8Array(5).fill(255), key(1), 4), RangeError, "a scale is NaN");
});
