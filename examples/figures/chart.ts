/** Charts of curves and points as SVG and as one self-contained HTML page with hover values, through Apache ECharts. @module */

import * as echarts from "echarts";

/** One curve, or a cloud of points. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** "line" (default), "dashed" for bounds, "points". */
  readonly style?: "line" | "dashed" | "points";
}

/** A chart with two axes. */
export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** One axis: what it shows, with its unit. */
interface Axis {
  readonly name: string;
  readonly log?: boolean;
}

const WIDTH = 960, HEIGHT = 600;

/** Whether the names stand right of the curves; long ones stand below, a line each. */
function isBeside({ series }: Chart): boolean {
  return series.every(({ name }) => name.length <= 36);
}

function heightOf(chart: Chart): number {
  return isBeside(chart) ? HEIGHT : HEIGHT + 19 * chart.series.length;
}

function option(chart: Chart): echarts.EChartsCoreOption {
  const { title, x, y, series } = chart, beside = isBeside(chart);
  const axis = ({ name, log = false }: Axis, nameGap: number) => ({
    type: log ? "log" : "value",
    name,
    nameLocation: "middle",
    nameGap,
    scale: true,
    minorSplitLine: { show: log },
    axisLabel: { hideOverlap: true },
  });
  // ECharts has nine colours; beyond them hues are spread evenly by the golden angle.
  const colors = series.map((_, i) => `hsl(${Math.round(i * 137.508) % 360} 65% ${i % 2 ? 35 : 48}%)`);
  return {
    animation: false,
    color: colors,
    title: { text: title, left: "center" },
    legend: {
      orient: "vertical",
      itemGap: 5,
      textStyle: { fontSize: 11 },
      ...beside ? { right: 8, top: 40 } : { left: 76, top: HEIGHT },
    },
    grid: { left: 76, right: beside ? 260 : 24, top: 48, bottom: 64 + heightOf(chart) - HEIGHT },
    tooltip: { trigger: "item" },
    xAxis: axis(x, 34),
    yAxis: axis(y, 54),
    series: series.map(({ name, points, style = "line" }) => ({
      name,
      type: style === "points" ? "scatter" : "line",
      data: points.filter((point) => point.every((v, i) => Number.isFinite(v) && (v > 0 || !(i === 0 ? x : y).log))),
      symbolSize: style === "points" ? 9 : 5,
      showSymbol: style !== "dashed" && points.length <= 40,
      symbol: "circle",
      lineStyle: { width: 2, type: style === "dashed" ? "dashed" : "solid" },
    })),
  };
}

/** The chart as an SVG document. */
export function svg(chart: Chart): string {
  const drawn = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: heightOf(chart) });
  drawn.setOption({ ...option(chart), backgroundColor: "#fff" });
  const text = drawn.renderToSVGString();
  drawn.dispose();
  return text;
}

/**
 * One HTML page with all charts, the values under the pointer shown, and tables below them. It loads nothing: the
 * plotting library stands inside, read from Deno's cache.
 */
export async function page(
  title: string,
  charts: readonly Chart[],
  tables: readonly {
    readonly title: string;
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
  }[] = [],
): Promise<string> {
  const library = await Deno.readTextFile(
    new URL("dist/echarts.min.js", new URL(".", import.meta.resolve("echarts/package.json"))),
  );
  const escape = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const row = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  // "<" inside a script element must not close it.
  const options = JSON.stringify(charts.map(option)).replaceAll("<", "\\u003c");
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222 }
.chart { margin-bottom: 2rem }
table { border-collapse: collapse; margin-bottom: 2rem }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left }
</style>
<h1>${escape(title)}</h1>
${charts.map((chart, i) => `<div class="chart" id="chart${i}" style="height: ${heightOf(chart)}px"></div>`).join("\n")}
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
  addEventListener("resize", () => chart.resize());
});
</script>
</html>
`;
}
