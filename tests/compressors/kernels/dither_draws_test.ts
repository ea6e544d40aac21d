import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { addDither, drawDither, removeSigns, UNIT } from "../../../compressors/kernels/dither_draws.ts";
import { MAX_FLOAT32 } from "../../../compressors/kernels/float32.ts";
import { key } from "../../../random.ts";

Deno.test("any part of the draws can be made alone", () => {
  const all = new Uint16Array(101), part = new Uint16Array(31), words = new Uint32Array(60);
  drawDither(key(1), 0, all, 100, words), drawDither(key(1), 40, part, 30, words);
  assertEquals(part.subarray(0, 30), all.subarray(40, 70));
});

Deno.test("the dither is uniform on [0, 4), and signs are as often minus as plus", () => {
  const count = 40000, draws = new Uint16Array(count + 1), values = new Float64Array(count).fill(1);
  drawDither(key(2), 0, draws, count, new Uint32Array(count));
  addDither(values, draws, count, 0, 0.5);
  let sum = 0, signs = 0;
  for (let i = 0; i < count; i++) {
    assert(values[i]! > 0 && values[i]! < 4 && Number.isInteger(values[i]! * UNIT - 0.5));
    sum += values[i]! / count, signs += (draws[i]! >> 15) / count;
  }
  // Five deviations: 2/√3 and 1/2 each.
  assertAlmostEquals(sum, 2, 5.8 / Math.sqrt(count));
  assertAlmostEquals(signs, 0.5, 2.5 / Math.sqrt(count));
});

Deno.test("signs are put in and taken out, and values held within float32", () => {
  const draws = Uint16Array.of(0, 0x8000, 0x8001), values = Float64Array.of(3, 3, 1e39);
  addDither(values, draws, 2, 2, 0);
  assertEquals([...values], [6, -6, 1e39]);
  removeSigns(values, draws, 3, 0.5);
  assertEquals([...values], [3, 3, -MAX_FLOAT32]);
});
