/** Charts and tables as one HTML page that loads nothing. @module */

import { type Chart, HEIGHT, optionsOf, WIDTH } from "./chart.ts";

/** A table with a heading. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * A page with all charts, the values under the pointer shown, and the tables below them. The plotting library stands inside
 * it, read from Deno's cache.
 */
export async function page(title: string, charts: readonly Chart[], tables: readonly Table[] = []): Promise<string> {
  const library = await Deno.readTextFile(
    new URL("dist/echarts.min.js", new URL(".", import.meta.resolve("echarts/package.json"))),
  );
  const escape = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const row = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  // "<" inside a script element must not close it.
  const options = JSON.stringify(charts.map(optionsOf)).replaceAll("<", "\\u003c");
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; background: #fff }
.chart { width: ${WIDTH}px; height: ${HEIGHT}px; margin-bottom: 2rem }
table { border-collapse: collapse; margin-bottom: 2rem }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left }
</style>
<h1>${escape(title)}</h1>
${charts.map((_, i) => `<div class="chart" id="chart${i}"></div>`).join("\n")}
${
    tables.map(({ title, head, rows }) =>
      `<h2>${escape(title)}</h2>\n<table>\n${row("th", head)}\n${
        rows.map((cells) => row("td", cells)).join("\n")
      }\n</table>`
    ).join("\n")
  }
<script>${library}</script>
<script>
const number = (v) => Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(3) : String(+v.toPrecision(4));
${options}.forEach((option, i) => {
  const chart = echarts.init(document.getElementById("chart" + i), null, { renderer: "svg" });
  option.tooltip.formatter = ({ seriesName, value }) =>
    seriesName + "<br>" + option.xAxis.name + ": " + number(value[0]) + "<br>" + option.yAxis.name + ": " + number(value[1]);
  chart.setOption(option);
});
</script>
</html>
`;
}
