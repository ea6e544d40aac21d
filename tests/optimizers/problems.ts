/** The heterogeneous quadratics of methods.md, sections 4 and 5. */

import { type Problem, quadratic } from "../../optimizers/mod.ts";

const a = [[1, 2, .5], [3, 1, 1], [.5, .5, 4]], b = [[1, 0, 2], [-1, 2, 0], [3, -2, 1]];
const diagonal = (row: readonly number[]) => row.map((v, j) => row.map((_, k) => j === k ? v : 0));

/** HQ-mini: 3 ranks, 3 parameters, minimiser (-.11111111, .28571429, .90909091). */
export const mini: Problem = quadratic(a.map((row, i) => ({ a: diagonal(row), b: b[i]! })));
