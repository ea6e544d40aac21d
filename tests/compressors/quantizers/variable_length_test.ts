import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, variableLength } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { adversarialKinds } from "../../../testing/mod.ts";
import { assertUnbiased, draws, encodeHex, gaussian, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

suite(variableLength(), {
  // Without huge dynamic range, where rounding up the small numbers is too rare to be seen.
  kinds: adversarialKinds.filter((kind) => !["dynamic", "subnormal", "largest"].includes(kind)),
  // At 64 numbers the step is √2 ‖x‖ / 8, here 2.02: all but the least are half-way between levels.
  sizes: [0, 1, 2, 3, 7, 8, 9, 64, 127, 1000],
  worst: (size) => size === 64 ? new Float32Array(64).fill(1).fill(3, 1, 9).fill(-2, 0, 1) : undefined,
});

Deno.test("1.54 to 1.77 bits a number, as zero lies on the grid, at error 1/3 on gaussians", () => {
  const x = gaussian(65536), c = variableLength(), bits = 8 * compress(c, x, key(1)).length / x.length;
  assert(1.5 < bits && bits < 1.78, `${bits} bits`);
  // Published bound: 2 + log₂((k − 1)² / 2d + 5/4) + (k / d) log₂((d + k) e / k) bits a number, k = √d + 1.
  const k = 257, bound = 2 + Math.log2(256 ** 2 / 2 / 65536 + 1.25) + k / 65536 * Math.log2((65536 + k) * Math.E / k);
  assert(bits < bound);
  const relative = draws(c, x, 10).error / squaredNorm(x);
  assert(0.32 < relative && relative < 0.35 && relative < c.omega(x.length), `${relative}`);
  assertUnbiased(c, gaussian(100), 4000);
});

Deno.test("messages are pinned", () => {
  assertEquals(encodeHex(variableLength(), X), "6f45af40000080c0398c");
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => variableLength({ levels: 1 }), RangeError, "levels is 1");
  assertThrows(() => decompress(variableLength(), new Uint8Array(5), key(1), 4), RangeError, "5 bytes, expected 4");
});
