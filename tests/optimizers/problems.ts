/** The heterogeneous quadratics of methods.md, sections 4 and 5. */

import { type Problem, quadratic } from "../../optimizers/mod.ts";

const a = [[1, 2, .5], [3, 1, 1], [.5, .5, 4]], b = [[1, 0, 2], [-1, 2, 0], [3, -2, 1]];
const diagonal = (row: readonly number[]) => row.map((v, j) => row.map((_, k) => j === k ? v : 0));

/** HQ-mini: 3 ranks, 3 parameters, minimiser (-.11111111, .28571429, .90909091). */
export const mini: Problem = quadratic(a.map((row, i) => ({ a: diagonal(row), b: b[i]! })));

/** fᵢ(x) = ½ Σⱼ aᵢⱼ (xⱼ − bᵢⱼ)²: as `quadratic`, in a d-th of the time. */
export function separable(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): Problem {
  const ranks = a.length, mean = a[0]!.map((_, j) => a.reduce((sum, row) => sum + row[j]! / ranks, 0));
  const largest = a.map((row) => Math.max(...row));
  return {
    constants: {
      size: mean.length,
      ranks,
      smoothness: Math.max(...mean),
      largestSmoothness: Math.max(...largest),
      meanSquareSmoothness: Math.sqrt(largest.reduce((sum, v) => sum + v * v / ranks, 0)),
      convexity: Math.min(...mean),
    },
    terms: () => 1,
    loss: (at) =>
      a.reduce((sum, row, i) => sum + row.reduce((s, v, j) => s + v * (at[j]! - b[i]![j]!) ** 2 / 2, 0), 0) / ranks,
    gradient(rank, at, into) {
      const ai = a[rank]!, bi = b[rank]!;
      for (let j = 0; j < into.length; j++) into[j] = ai[j]! * (at[j]! - bi[j]!);
    },
    minimiser: Float64Array.from(mean, (v, j) => a.reduce((sum, row, i) => sum + row[j]! * b[i]![j]!, 0) / ranks / v),
  };
}

/** HQ, where the data folder is there: 5 ranks, 20 parameters; A, b, x*. */
export const hq: Problem | undefined = (() => {
  try {
    const { A, b } = JSON.parse(Deno.readTextFileSync("../shared/data/hq.json"));
    return quadratic(A.map((a: number[][], i: number) => ({ a, b: b[i] })));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
})();

/** A test on HQ, skipped where the data folder is not there. */
export function onHq(name: string, check: (problem: Problem) => void): void {
  const ignore = hq === undefined, why = ignore ? " (skipped: ../shared/data/hq.json is not there)" : "";
  Deno.test({ name: `HQ: ${name}${why}`, ignore, fn: () => check(hq!) });
}
