import { assert, assertAlmostEquals, assertThrows } from "@std/assert/mod.js";
import { compress, doubleSampling, type LeastSquaresTerm, stochasticLevels } from "../../../../compressors/mod.ts";
import { fold, key } from "../../../../random.ts";

Deno.test("double sampling is unbiased; a single sample has the bias D x", () => {
  const binary = stochasticLevels({ levels: 2 });
  const term: LeastSquaresTerm = {
    row: Float32Array.of(0, 0.4, 1, 0.7),
    target: 0.5,
    at: Float32Array.of(1, -2, 0.5, 1),
  };
  const { row, at, target } = term, count = 20_000;
  const exact = row.map((v) => v * (row.reduce((s, r, i) => s + r * at[i]!, 0) - target));
  const double = new Float64Array(4), single = new Float64Array(4);
  for (let r = 0; r < count; r++) {
    const k = fold(key(4), r);
    doubleSampling(binary, term, k).forEach((v, i) => double[i]! += v / count);
    const once = new Float32Array(4);
    binary.decodeAdd(compress(binary, row, k), k, 1, once);
    const residual = once.reduce((s, v, i) => s + v * at[i]!, 0) - target;
    once.forEach((v, i) => single[i]! += v * residual / count);
  }
  // Variances of the estimates are below 1: 7 standard errors are 0.05.
  double.forEach((v, i) => assertAlmostEquals(v, exact[i]!, 0.05));
  const bias = row.map((v, i) => v * (1 - v) * at[i]!); // (0, −.48, 0, .21)
  single.forEach((v, i) => assertAlmostEquals(v, exact[i]! + bias[i]!, 0.05));
  assert(Math.abs(bias[1]!) > 0.4);
  assertThrows(() => doubleSampling(binary, { ...term, at: new Float32Array(3) }, key(1)), RangeError, "4 numbers");
});
