/** Random convex problems of every kind that step sizes have to be safe on. @module */

import type { Rows } from "../optimizers/problems/libsvm.ts";
import { logistic, ridge } from "../optimizers/problems/regression.ts";
import type { Problem } from "../optimizers/problems/problem.ts";
import { quadratic } from "../optimizers/problems/quadratic.ts";
import { fold, type Key, normal, uniform } from "../random.ts";

/** What the problems are: quadratics, or means of terms. */
export type ProblemKind = "quadratic" | "ridge" | "logistic";

/** How large and how ill-conditioned they get. */
interface ProblemLimits {
  /** n is one of these. */
  readonly ranks: readonly number[];
  /** The most parameters, d. */
  readonly size: number;
  /** The largest condition number. */
  readonly condition: number;
}

/**
 * A problem that the key decides: any number of ranks and parameters, condition numbers up to the limit, ranks (or
 * terms) that are up to 30 times as smooth as others, data that are alike, differ a little or a lot, any scale of the
 * loss.
 */
export function randomProblem(kind: ProblemKind, key: Key, limits: ProblemLimits): Problem {
  const draw = drawer(key), size = 1 + Math.floor(limits.size * draw()), condition = limits.condition ** draw();
  const ranks = limits.ranks[Math.floor(limits.ranks.length * draw())]!;
  return kind === "quadratic"
    ? randomQuadratic(draw, fold(key, 1), ranks, size, condition)
    : randomRows(kind, draw, fold(key, 1), ranks, size, condition);
}

/** Draws uniform on [0, 1), one after the other. */
function drawer(key: Key): () => number {
  const drawn = new Float32Array(256);
  uniform(key, drawn);
  let next = 0;
  return () => drawn[next++ % drawn.length]!;
}

function randomQuadratic(draw: () => number, key: Key, ranks: number, size: number, condition: number): Problem {
  const gaussian = (of: number) => normal(fold(key, of), new Float32Array(size));
  const common = draw() < .5,
    unequal = draw() < .5,
    differs = [0, .1, 3][Math.floor(3 * draw())]!,
    scale = 10 ** (4 * draw() - 2);
  const centre = gaussian(0);
  return quadratic(Array.from({ length: ranks }, (_, rank) => {
    // A = (I − 2 v vᵀ) diag(λ) (I − 2 v vᵀ) for a v of length 1, which is common to the ranks or each rank's own.
    const v = gaussian(common ? 1 : 100 + rank),
      length = Math.hypot(...v),
      factor = scale * (unequal ? 30 ** -draw() : 1);
    const lambda = Array.from({ length: size }, () => factor * condition ** -draw());
    const flip = (j: number, k: number) => (j === k ? 1 : 0) - 2 * v[j]! * v[k]! / length ** 2;
    const entry = (j: number, k: number) => lambda.reduce((sum, value, i) => sum + flip(j, i) * value * flip(i, k), 0);
    const a = lambda.map((_, j) => lambda.map((_, k) => entry(Math.min(j, k), Math.max(j, k))));
    return { a, b: Array.from(gaussian(1000 + rank), (z, j) => 3 * centre[j]! + differs * z) };
  }));
}

function randomRows(
  kind: "ridge" | "logistic",
  draw: () => number,
  key: Key,
  ranks: number,
  size: number,
  condition: number,
): Problem {
  const count = ranks * (1 + Math.floor(8 * draw())), values = normal(fold(key, 0), new Float32Array(count * size));
  const labels = normal(fold(key, 1), new Float32Array(count)),
    spread = condition ** (draw() / 2),
    scale = 10 ** (2 * draw() - 1);
  const large = draw() < .5 ? Math.floor(count * draw()) : -1, by = draw() < .5 ? "rows" : "label";
  const rows: Rows = {
    features: size,
    labels: Float64Array.from(labels, (label) => kind === "ridge" ? 3 * label : label < 0 ? -1 : 1),
    starts: Uint32Array.from({ length: count + 1 }, (_, row) => row * size),
    indices: Uint32Array.from(values, (_, e) => e % size),
    values: Float64Array.from(values, (v, e) => {
      return v * scale * spread ** (-(e % size) / size) * (Math.floor(e / size) === large ? 30 : 1);
    }),
  };
  const make = kind === "ridge" ? ridge : logistic, { smoothness } = make(rows, { ranks, by }).constants;
  return make(rows, { ranks, by, lambda: smoothness / condition });
}
