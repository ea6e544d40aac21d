import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { type Chart, optionsOf, svg } from "../../../examples/figures/chart.ts";

const chart: Chart = {
  title: "A title with <brackets>",
  x: { name: "bits", from: .1, to: 10, log: true },
  y: { name: "error", from: 1, to: 0 },
  series: [
    { name: "bound", color: "#666666", style: "dashed", points: [[.1, 1], [10, 0]] },
    { name: "curve", color: "#0a58ca", points: [[.05, .9], [1, .5], [5, .2]] },
    { name: "cloud", color: "#c94a00", style: "points", points: [[2, .4, "one"], [20, .4, "outside"]] },
  ],
};

// ECharts lets the timer of a frame run out after a chart is gone.
Deno.test("an SVG names its curves and points on a white ground, and leaves out what lies outside of the axes", {
  sanitizeOps: false, // echarts leaves a timer now and then
  sanitizeResources: false,
}, () => {
  const text = svg(chart);
  assert(text.startsWith("<svg ") && /<rect[^>]*fill="#fff"/.test(text));
  for (const shown of ["bound", "curve", "one", "bits", "error", "0.2"]) assertStringIncludes(text, `>${shown}<`);
  for (const hidden of ["outside", "cloud", "NaN", "undefined"]) assert(!text.includes(hidden), hidden);
  assert(text.length < 20_000, `${text.length} bytes`);
});

Deno.test("options are plain data, so that a page can carry them", () => {
  const options = optionsOf(chart);
  assertEquals(JSON.parse(JSON.stringify(options)), options);
});
