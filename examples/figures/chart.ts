/** Charts of curves and points, with their names beside them, as SVG through Apache ECharts. @module */

import * as echarts from "echarts";
import { FONT, type Label, LETTER, LINE, placeLabels } from "./labels.ts";

/** A point, and what stands beside it if anything does. */
export type Point = readonly [x: number, y: number, label?: string];

/** One curve, or a cloud of points. */
export interface Series {
  /** What stands at the end of a curve, and above the values under the pointer. */
  readonly name: string;
  readonly color: string;
  readonly points: readonly Point[];
  /** "curve" (default), "dashed" for bounds, "joined" for a curve through visible points, "points", "range" without a name. */
  readonly style?: "curve" | "dashed" | "joined" | "points" | "range";
}

/** One axis: what it shows, with its unit, and from where to where. What lies outside is not drawn. */
export interface Axis {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly log?: boolean;
}

/** A chart with two axes. */
export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** The size of a chart in pixels. GitHub shows a document about 830 wide. */
export const WIDTH = 830, HEIGHT = 540;

const LEFT = 72, TOP = 50, BOTTOM = 58;

/** How far along its axis a value stands, 0 to 1. */
function along(value: number, { from, to, log = false }: Axis): number {
  return log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
}

function isInside(value: number, axis: Axis): boolean {
  const share = along(value, axis);
  return -1e-9 <= share && share <= 1 + 1e-9;
}

/** The names in a series and where they may stand: at a point with a label of its own, at the last or first of a curve. */
function namesIn({ name, points, style = "curve" }: Series): { text: string; points: Point[] }[] {
  const own = points.filter(([, , label]) => label !== undefined).map((point) => ({
    text: point[2]!,
    points: [point],
  }));
  if (style === "points" || style === "range" || points.length === 0) return own;
  return [{ text: name, points: style === "joined" ? [points.at(-1)!, points[0]!] : [points.at(-1)!] }, ...own];
}

/** Values where an axis has a line: powers of ten on a logarithmic one, with 2 and 5 between them where it is short. */
function ticksOf({ from, to, log = false }: Axis): number[] | undefined {
  if (!log) return undefined;
  const [low, high] = [Math.min(from, to), Math.max(from, to)], decades = Math.log10(high / low);
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const digit of decades < 3 ? [1, 2, 5] : [1]) {
      const value = Number(`${digit}e${power}`);
      if (low * (1 - 1e-9) <= value && value <= high * (1 + 1e-9)) ticks.push(value);
    }
  }
  return ticks;
}

function axisOptions(axis: Axis, nameGap: number): Record<string, unknown> {
  const { name, from, to, log = false } = axis, customValues = ticksOf(axis);
  return {
    type: log ? "log" : "value",
    name,
    nameLocation: "middle",
    nameGap,
    nameTextStyle: { color: "#222", fontSize: FONT + 1 },
    min: Math.min(from, to),
    max: Math.max(from, to),
    inverse: from > to,
    axisLabel: { hideOverlap: true, color: "#444", fontSize: FONT, ...customValues && { customValues } },
    axisTick: { show: true, ...customValues && { customValues } },
    axisLine: { show: true, onZero: false, lineStyle: { color: "#888" } },
    splitLine: { lineStyle: { color: "#e6e6e6" } },
  };
}

/** The chart as options of ECharts: plain data, so that a page can carry them. */
export function optionsOf({ title, x, y, series }: Chart): Record<string, unknown> {
  const drawn = series.map((one) => ({
    ...one,
    points: one.points.filter(([a, b]) => isInside(a, x) && isInside(b, y)),
  }));
  // Names at the right end of the x axis need a margin.
  const room = (text: string, [at]: Point) => LETTER * text.length + 16 - (1 - along(at, x)) * (WIDTH - 300);
  const right = Math.max(24, ...drawn.flatMap(namesIn).map(({ text, points }) => room(text, points[0]!)));
  const pixel = ([a, b]: Point) =>
    [LEFT + along(a, x) * (WIDTH - LEFT - right), HEIGHT - BOTTOM - along(b, y) * (HEIGHT - TOP - BOTTOM)] as const;
  const labels = drawn.flatMap((one) =>
    namesIn(one).map(({ text, points }): Label => ({ text, color: one.color, at: points.map(pixel) }))
  );
  const marks = drawn.flatMap(({ points, style = "curve" }) => {
    const pixels = points.map(pixel), isVisible = style === "points" || style === "joined";
    const path = style === "points" ? [] : pixels.flatMap((to, i) => between(pixels[i - 1] ?? to, to));
    return [
      ...path.map(([x, y]) => [x, y, 1] as const),
      ...isVisible ? pixels.map(([x, y]) => [x, y, 8] as const) : [],
    ];
  });
  const frame = { left: LEFT + 2, right: WIDTH - 6, top: TOP - LINE, bottom: HEIGHT - BOTTOM };
  const placed = placeLabels(labels, marks, frame);
  return {
    animation: false,
    backgroundColor: "#fff",
    title: { text: title, left: 14, top: 12, textStyle: { color: "#222", fontSize: FONT + 3, fontWeight: "bold" } },
    grid: { left: LEFT, right, top: TOP, bottom: BOTTOM },
    tooltip: { trigger: "item" },
    xAxis: axisOptions(x, 32),
    yAxis: axisOptions(y, 52),
    series: drawn.map(({ name, color, points, style = "curve" }) => ({
      name,
      type: style === "points" ? "scatter" : "line",
      color,
      data: points.map(([a, b]) => [a, b]),
      symbol: "circle",
      symbolSize: 7,
      showSymbol: style === "joined",
      itemStyle: { opacity: 1 },
      silent: style === "range",
      lineStyle: { color, width: style === "range" ? 1 : 1.8, type: style === "dashed" ? "dashed" : "solid" },
    })),
    graphic: placed.flatMap(({ text, color, chosen: [x, y], left, middle }) => {
      const width = LETTER * text.length, isLeft = left + width < x;
      // A name that is not beside its point has a line to it, from where it is nearest.
      const near = Math.min(Math.max(x, left - 2), left + width + 2),
        isFar = Math.hypot(near - x, middle - y) > LINE + 2;
      const shape = { x1: x, y1: y, x2: near, y2: middle };
      const halo = { stroke: "#fff", lineWidth: 3 }, font = { fontSize: FONT, verticalAlign: "middle" };
      return [
        ...isFar ? [{ type: "line", silent: true, shape, style: { stroke: color } }] : [],
        {
          type: "text",
          silent: true,
          z: 10,
          x: isLeft ? left + width : left,
          y: middle,
          style: { text, fill: color, textAlign: isLeft ? "right" : "left", ...font, ...halo },
        },
      ];
    }),
  };
}

/** Pixels of a line, 4 apart. */
function between([a, b]: readonly [number, number], [c, d]: readonly [number, number]): (readonly [number, number])[] {
  const steps = Math.max(1, Math.ceil(Math.hypot(c - a, d - b) / 4));
  return Array.from(
    { length: steps },
    (_, i) => [a + (c - a) * (i + 1) / steps, b + (d - b) * (i + 1) / steps] as const,
  );
}

/** The chart as an SVG document on a white ground of its own, to be read on dark pages too. */
export function svg(chart: Chart): string {
  const drawn = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  drawn.setOption(optionsOf(chart) as echarts.EChartsCoreOption);
  const text = drawn.renderToSVGString();
  drawn.dispose();
  return text;
}
