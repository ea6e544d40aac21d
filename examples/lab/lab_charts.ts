/** The laboratory's charts: error and distance to the bound against bits, and distance against the time to encode. @module */

import { type Compressor, describe } from "../../mod.ts";
import { bitsByWaterFilling, bitsForAllVectors, bitsOnAverage } from "../figures/bounds.ts";
import type { Chart, Series } from "../figures/chart.ts";
import { type Family, familyOf } from "../figures/families.ts";
import type { Measured } from "./measure.ts";

/** Bits a number up to which curves are drawn: those of interest lie close together before. */
const MOST_BITS = 5;
/** The chart of times shows each compressor at its setting nearest to so many bits a number, if one is near enough. */
const TYPICAL_BITS = 2, NEAR = 1;
/** Bits above the bound up to which the charts reach. */
const MOST_ABOVE = 2;

/** Two curves less apart than so many bits look like one. */
const VISIBLE = .01;

/** One compressor over its main option. */
interface Curve {
  readonly name: string;
  readonly family: Family;
  readonly settings: readonly Measured[];
}

/** What a curve is called: the compressor, and the options that change what it is rather than how fine it is. */
function nameOf(compressor: Compressor): string {
  const { name, options } = compressor;
  if (name === "subtractiveDithering") return `${name}, ${options.states} state${options.states === 1 ? "" : "s"}`;
  const inner = /^\w+\((\w+)/.exec(describe(compressor))?.[1];
  const joint = options.rateDistortion === undefined ? undefined : "joint";
  return [name, options.rounding, joint, options.coding, inner].filter((part) => part !== undefined).join(" ");
}

function curvesOf(all: readonly Measured[]): Curve[] {
  const curves = Map.groupBy(all, ({ compressor }) => nameOf(compressor));
  return [...curves].map(([name, settings]) => ({
    name,
    family: familyOf(describe(settings[0]!.compressor)),
    settings: settings.toSorted((a, b) => a.bits - b.bits),
  }));
}

/** The charts, by the names of their files. */
export function chartsOf(vector: string, x: Float32Array, all: readonly Measured[]): Record<string, Chart> {
  const curves = curvesOf(all), what = `${vector}, ${x.length} numbers`;
  // Of a family only the curve that is nearest to the bound, or there would be twenty. Single points come last.
  const drawn = [...Map.groupBy(curves, ({ family }) => family)].flatMap(([, own]) => {
    const within = own.map(({ settings, ...curve }) => ({ ...curve, settings: settings.filter(isWithin) }))
      .filter(({ settings }) => settings.length > 0);
    const single = ({ settings }: Curve) => Number(settings.length === 1);
    return within.toSorted((a, b) => single(a) - single(b) || meanAbove(a) - meanAbove(b)).slice(0, 1);
  });
  const series = (y: (one: Measured) => number) =>
    drawn.map(({ name, family, settings }): Series => ({
      name,
      color: family.color,
      style: "joined",
      points: settings.map((one) => [one.bits, y(one)]),
    }));
  const typical = curves.flatMap(({ name, family, settings }): Series[] => {
    const off = ({ bits }: Measured) => Math.abs(bits - TYPICAL_BITS);
    const nearest = settings.reduce((a, b) => off(a) <= off(b) ? a : b);
    if (off(nearest) > NEAR) return [];
    return [{ name, color: family.color, style: "points", points: [[nearest.encode, nearest.above, name]] }];
  });
  const shown = drawn.flatMap(({ settings }) => settings), most = Math.max(1, ...shown.map(({ bits }) => bits));
  const bits = { name: "bits a number", from: 0, to: Math.min(MOST_BITS, Math.ceil(most)) };
  const bounds = boundsOf(vector, x), aboveName = "bits a number above the bound for all vectors";
  const lowest = (values: readonly number[]) => Math.floor(2 * Math.min(0, ...values)) / 2;
  return {
    error: {
      title: `Error against bits: ${what}`,
      x: bits,
      y: { name: "α, the relative square error", from: 4 ** -bits.to, to: 1, log: true },
      series: [...bounds(([, alpha]) => alpha), ...series(({ alpha }) => alpha)],
    },
    distance: {
      title: `Distance to the bound against bits: ${what}`,
      x: bits,
      y: { name: aboveName, from: lowest(shown.map(({ above }) => above)), to: MOST_ABOVE },
      series: [...bounds(([bits, alpha]) => bits - bitsForAllVectors(alpha)), ...series(({ above }) => above)],
    },
    time: {
      title: `Distance to the bound against time, at about ${TYPICAL_BITS} bits a number: ${what}`,
      x: { name: "nanoseconds a number to encode", from: .5, to: 5000, log: true },
      y: { name: aboveName, from: lowest(typical.map(({ points }) => points[0]![1])), to: MOST_ABOVE },
      series: typical,
    },
  };
}

const isWithin = ({ bits, above }: Measured) => bits <= MOST_BITS && Math.abs(above) <= 2 * MOST_ABOVE;
const meanAbove = ({ settings }: Pick<Curve, "settings">) =>
  settings.reduce((sum, { above }) => sum + above, 0) / settings.length;

/**
 * The bounds as curves over bits. The bound for all vectors is always one of them. The bound on average over all directions
 * goes with a gaussian vector, which has a random one; any other vector has its own, by reverse water-filling.
 */
function boundsOf(
  vector: string,
  x: Float32Array,
): (y: (point: readonly [bits: number, alpha: number]) => number) => Series[] {
  const alphas = Array.from({ length: 120 }, (_, i) => 4 ** (-MOST_BITS * (i + .5) / 120));
  const average = (alpha: number) => bitsOnAverage(alpha, x.length), isRandom = vector === "gaussian";
  const coincide = isRandom && alphas.every((alpha) => average(alpha) - bitsForAllVectors(alpha) < VISIBLE);
  const bounds: [name: string, bits: (alpha: number) => number][] = [
    [coincide ? "bound for all vectors, and on average" : "bound for all vectors", bitsForAllVectors],
  ];
  if (isRandom && !coincide) bounds.push(["bound on average", average]);
  if (!isRandom) bounds.push(["reverse water-filling of this vector", bitsByWaterFilling(x)]);
  return (y) =>
    bounds.map(([name, bits]) => ({
      name,
      color: "#666666",
      style: "dashed",
      points: alphas.map((alpha) => [bits(alpha), y([bits(alpha), alpha])] as const),
    }));
}
