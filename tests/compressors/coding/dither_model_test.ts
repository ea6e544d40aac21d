import { assert, assertEquals } from "@std/assert/mod.js";
import { CLASSES, classOf, ditherModel, follow } from "../../../compressors/coding/dither_model.ts";
import { trellis } from "../../../compressors/coding/trellis.ts";

Deno.test("a model has a path to each token, and for each context and node a probability", () => {
  for (const omega of [4, 0.5, 0.01, 1e-6]) {
    const { shift, bins, reach, children, paths, models } = ditherModel(trellis(8), omega), nodes = children.length / 2;
    assertEquals([paths.length, nodes], [2 * reach + 2, 2 * reach + 1]);
    assertEquals(models.length, CLASSES * bins * nodes);
    assertEquals(bins, shift > 0 ? 1 : 16);
    assert(models.every((model) => model >>> 8 > 0 && model >>> 8 < 2 ** 22 && (model & 255) === 20));
  }
});

Deno.test("finer steps leave more low bits to be sent as they are", () => {
  const shifts = [1, 1e-2, 1e-4, 1e-6].map((omega) => ditherModel(trellis(8), omega).shift);
  assertEquals(shifts, shifts.toSorted((a, b) => a - b));
  // A sixth of the deviation holds 2^shift units of 2 steps, and less than twice as many.
  for (const omega of [1e-4, 1e-6]) {
    const code = trellis(8), { shift } = ditherModel(code, omega), step = Math.sqrt(omega / code.limit);
    assert(step * 2 ** shift < 1 / 6 && step * 2 ** (shift + 1) >= 1 / 6);
  }
});

Deno.test("the class follows the mean magnitude, four classes an octave", () => {
  const { mean, base } = ditherModel(trellis(1), 0.5);
  let low = mean, high = mean;
  for (let i = 0; i < 500; i++) low = follow(low, 100), high = follow(high, 1600);
  assert(Math.abs(low - 6400) <= 32 && Math.abs(high - 102400) <= 32);
  assertEquals(classOf(2 * mean, base) - classOf(mean, base), 4);
  assertEquals([classOf(0, base), classOf(2 ** 30, base)], [0, CLASSES - 1]);
});
