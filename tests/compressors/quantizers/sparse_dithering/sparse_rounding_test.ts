import { assert, assertEquals } from "@std/assert/mod.js";
import {
  limitOf,
  promisedStep,
  roundLevels,
  sentStep,
  type SparseRounding,
} from "../../../../compressors/quantizers/sparse_dithering/sparse_rounding.ts";
import { key } from "../../../../random.ts";
import { gaussian, squaredNorm, X } from "../../tools/draws.ts";

const nearest: SparseRounding = { nu: 0.1, rounding: "nearest", scale: "float32" };

Deno.test("the step that is sent never exceeds 2 ‖x‖ √(ν / d): rounded down, not to nearest", () => {
  for (let i = 0; i < 300; i++) {
    const x = gaussian(37, i), rounding = { ...nearest, nu: 0.1 + i / 1000 };
    const step = sentStep(promisedStep(x, rounding), rounding);
    const promised = 2 * Math.sqrt(rounding.nu * squaredNorm(x) / 37);
    assertEquals(step, Math.fround(step));
    assert(step <= promised * (1 + 1e-15) && step > promised * (1 - 2 ** -22), `${step} of ${promised}`);
    const coarse = sentStep(promised, { ...rounding, scale: "log" });
    assert(coarse <= promised && coarse > 0.8 * promised, `${coarse} of ${promised}`);
  }
});

Deno.test("the step of zeros is 0, and no other is below the normal float32 or above the largest", () => {
  for (const scale of ["float32", "log"] as const) {
    const rounding = { ...nearest, scale };
    assertEquals(sentStep(promisedStep(new Float32Array(0), rounding), rounding), 0);
    assertEquals(sentStep(promisedStep(new Float32Array(9), rounding), rounding), 0);
    assertEquals(sentStep(1e-44, rounding), 2 ** -126);
    assertEquals(sentStep(1e39, rounding), 3.4028234663852886e38);
  }
});

Deno.test("levels that are not 0, with their positions, at most the limit", () => {
  const { positions, levels, count } = roundLevels(X, 2.5, 1, nearest, key(1));
  assertEquals([...positions.subarray(0, count)], [1, 2, 3]);
  assertEquals([...levels.subarray(0, count)], [-1, 1, -1]);
  const random = roundLevels(X, 1, 100, { ...nearest, rounding: "random" }, key(1));
  assertEquals([...random.levels.subarray(0, random.count)], [1, -2, 3, -4]);
  assert(limitOf(1e30) * 1e30 <= 3.4028234663852886e38 && limitOf(1e-30) === 2 ** 31 - 1);
});
