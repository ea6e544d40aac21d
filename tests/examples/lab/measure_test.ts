import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert/mod.js";
import { measure, verdict } from "../../../examples/lab/measure.ts";
import { chartsOf } from "../../../examples/lab/lab_charts.ts";
import { svg } from "../../../examples/figures/chart.ts";
import { parseCompressor } from "../../../mod.ts";
import { readVector } from "../../../examples/lab/vectors.ts";

const calls = [
  ...[.1, .001, 2].map((omega) => `subtractiveDithering({ omega: ${omega}, states: 4 })`),
  ...[.1, .5].map((nu) => `sparseDithering({ nu: ${nu}, rounding: "nearest", coding: "entropy" })`),
  ...["topK({ ratio: 0.1 })", "scaledSign", "identity"],
];
const measured = (x: Float32Array) => calls.map((call) => measure(parseCompressor(call), x, 3, 0));

Deno.test("bits, error and distance to the bound are those of the compressor", async () => {
  const x = await readVector("gaussian", 4096, 0), all = measured(x), [trellis] = all, signs = all[6]!, exact = all[7]!;
  assertAlmostEquals(trellis!.error, .1, .005);
  assertAlmostEquals(trellis!.alpha, .1 / 1.1, .005);
  assert(trellis!.above > 0 && trellis!.above < .2);
  // Of gaussian numbers the signs keep 2/π of the square.
  assertAlmostEquals(signs.error, 1 - 2 / Math.PI, .03);
  assertEquals([exact.bits, exact.error, exact.above], [32, 0, -Infinity]);
  assert(all.every(({ encode, decode }) => encode > 0 && decode > 0));
});

Deno.test("on a sparse vector the verdict names who is below the trellis", async () => {
  const [gaussian, sparse] = [await readVector("gaussian", 4096, 0), await readVector("sparse", 4096, 0)];
  assertMatch(verdict(gaussian, measured(gaussian)), /none of the \d compressors .* than the trellis of 4 states/);
  assertMatch(verdict(sparse, measured(sparse)), /^At equal error these need fewer bits[^]*sparseDithering/);
});

// ECharts lets the timer of a frame run out after a chart is gone.
Deno.test("charts name the bounds: on average for gaussian vectors, by water-filling for others", {
  sanitizeOps: false, // echarts leaves a timer now and then
  sanitizeResources: false,
}, async () => {
  for (
    const [vector, size, bound] of [["gaussian", 64, "on average"], ["sparse", 2000, "reverse water-filling"]] as const
  ) {
    const x = await readVector(vector, size, 0), charts = chartsOf(vector, x, measured(x));
    assertEquals(Object.keys(charts), ["error", "distance", "time"]);
    for (const name of ["error", "distance"]) {
      const text = svg(charts[name]!);
      assert(text.includes("bound for all vectors") && text.includes(bound), `${vector}: ${name}`);
    }
  }
});
