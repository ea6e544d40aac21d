/** Curves of what a method sends until it is as near to the optimum as asked. @module */

import type { Minimised } from "../../mod.ts";
import type { Axis, Chart, Point, Series } from "../figures/chart.ts";

type Entry = Minimised["history"][number];

/** Runs of one method from one start or several. */
interface Runs {
  readonly name: string;
  readonly color: string;
  readonly runs: readonly Minimised[];
}

/** Squared distances from the optimum, as shares of that at the start, at which a curve has points: so many, and the last. */
const LEVELS = 80;

/** The first level that is drawn: what comes before is the beginning, which all methods share. */
const FIRST = .5;

/**
 * For each squared distance what was spent until a run was there, as a mean over the starts; a curve ends where one of the
 * runs does.
 */
function curve({ runs }: Runs, last: number, spent: (entry: Entry) => number): Point[] {
  const points: Point[] = [], at = runs.map(() => 0);
  for (let i = 0; i <= LEVELS; i++) {
    const level = FIRST * (last / FIRST) ** (i / LEVELS);
    let sum = 0;
    for (const [r, { history }] of runs.entries()) {
      while (at[r]! < history.length && history[at[r]!]!.error > level * (1 + 1e-12)) at[r]!++;
      const entry = history[at[r]!];
      if (entry === undefined) return points;
      sum += spent(entry) / runs.length;
    }
    points.push([level, sum]);
  }
  return points;
}

/** A chart of bytes or rounds over the distance that is left, which falls to the right. */
export function chartOfRuns(
  title: string,
  all: readonly Runs[],
  last: number,
  spent: readonly [name: string, of: (entry: Entry) => number],
): Chart {
  const series = all.map((runs): Series => ({ ...runs, points: curve(runs, last, spent[1]) }));
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const x: Axis = {
    name: "‖x − x*‖² / ‖x⁰ − x*‖², what is left of the squared distance",
    from: FIRST,
    to: last,
    log: true,
  };
  return {
    title,
    x,
    y: { name: spent[0], from: Math.min(...values) / 1.1, to: Math.max(...values) * 1.1, log: true },
    series,
  };
}
