import { assert, assertStringIncludes } from "@std/assert/mod.js";
import type { Chart } from "../../../examples/figures/chart.ts";
import { page } from "../../../examples/figures/page.ts";

const chart: Chart = {
  title: "A title with <brackets>",
  x: { name: "bits", from: 0, to: 1 },
  y: { name: "error", from: 0, to: 1 },
  series: [{ name: "curve", color: "#0a58ca", points: [[0, 0], [1, 1]] }],
};

Deno.test("a page shows charts and tables, and loads nothing", async () => {
  const html = await page("A <page>", [chart], [{
    title: "Numbers & figures",
    head: ["name", "bits"],
    rows: [["a<b", "2"]],
  }]);
  assertStringIncludes(html, "<h1>A &#60;page&#62;</h1>");
  assertStringIncludes(html, "<tr><td>a&#60;b</td><td>2</td></tr>");
  assertStringIncludes(html, "A title with \\u003cbrackets>");
  assert(!/(src|href)="/.test(html.slice(0, html.indexOf("<script>"))));
});
