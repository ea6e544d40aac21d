/** What theory says of the methods on quadratics, and what simulations in float64 found (methods.md, sections 4 and 5). */

import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import { identity } from "../../compressors/mod.ts";
import {
  adiana,
  average,
  diana,
  doubleSqueeze,
  ef21,
  errorFeedback,
  marina,
  minimise,
  quadratic,
  type Reducer,
} from "../../optimizers/mod.ts";
import { rand, top } from "./lockstep.ts";
import { hq, mini, onHq } from "./problems.ts";

/** On HQ, from methods.md: rounds to 1e-20 of the start in float64; half of them is the share of 1e-10. */
const { convexity = 1, largestSmoothness = 1 } = hq?.constants ?? {};
const setB = { convexity, smoothness: largestSmoothness, parameters: "B" } as const;
const exact: [what: string, reducer: Reducer, rounds: number, multiplier?: number][] = [
  ["GD", average(), 2 * 50],
  ["DIANA with Rand-4", diana(rand(4)), 1308],
  ["EF21 with Top-4", ef21(top(4)), 1817],
  ["EF21+ with Top-4", ef21(top(4), { plus: true }), 1817],
  ["MARINA with Rand-4", marina(rand(4)), 558],
  ["ADIANA, parameters A, with Rand-4", adiana(rand(4), { convexity }), 6929],
  ["ADIANA, parameters B × 10, with Rand-4", adiana(rand(4), setB), 5061, 10],
  ["ADIANA, parameters B × 100, with Rand-4", adiana(rand(4), setB), 528, 100],
];

for (const [what, reducer, rounds, multiplier = 1] of exact) {
  onHq(`${what} falls to 1e-10 within 1.3 times its share of ${rounds} rounds`, (hq) => {
    const most = Math.ceil(1.3 * rounds / 2);
    const run = minimise(hq, reducer, { rounds: most, error: 1e-10, every: 1000, multiplier });
    assert(run.reached, `after ${most} rounds the error is ${run.error}`);
  });
}

/** ‖x − x*‖² (not relative) averaged over the rounds after `from`. */
function floor(problem: NonNullable<typeof hq>, reducer: Reducer, step: number, from: number, rounds: number): number {
  const { history } = minimise(problem, reducer, { rounds, step });
  const start = problem.minimiser.reduce((sum, v) => sum + v * v, 0), late = history.slice(from);
  return start * late.reduce((sum, { error }) => sum + error, 0) / late.length;
}

onHq("DCGD stalls: at 12 or so with Rand-4, at 58 or so with Top-4", (hq) => {
  const step = 1 / (hq.constants.smoothness + 8 * largestSmoothness / 5);
  const unbiased = floor(hq, average(rand(4)), step, 1000, 6000),
    biased = floor(hq, average(top(4)), step, 1000, 2000);
  assert(6 < unbiased && unbiased < 25, `${unbiased}`);
  assert(40 < biased && biased < 75, `${biased}`);
});

onHq("error feedback has a floor that falls with the square of the step size", (hq) => {
  const one = floor(hq, errorFeedback(top(4)), .0204, 1500, 3000),
    two = floor(hq, errorFeedback(top(4)), .0041, 6000, 9000);
  assert(.015 < one && one < .06, `${one}`);
  assert(8e-4 < two && two < 3.2e-3, `${two}`);
  const twice = floor(hq, doubleSqueeze(top(1)), .0041, 6000, 9000);
  assert(6e-4 < twice && twice < 3e-3, `${twice}`);
  const half = floor(hq, doubleSqueeze(top(1)), .0041 / 2, 8000, 10000);
  assert(3 < twice / half && twice / half < 5.5, `${twice} ${half}`);
});

Deno.test("DCGD on an isotropic quadratic has its predicted stationary error", () => {
  const eye = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const problem = quadratic([[1, 0, 2], [-1, 2, 0], [3, -2, 1]].map((b) => ({ a: eye, b })));
  // The relative standard error of these averages is near 1 %; the seed is fixed.
  for (const [k, step, predicted] of [[1, .1, .21818182], [1, .5, 1.71428571], [2, .2, .11320755]] as const) {
    const found = floor(problem, average(rand(k)), step, 200, 40000);
    assertAlmostEquals(found / predicted, 1, .05);
  }
});

Deno.test("without compression EF21, DIANA and MARINA are gradient descent", () => {
  const plain = minimise(mini, average(), { rounds: 30, step: .2 }).parameters;
  for (const reducer of [ef21(identity()), ef21(identity(), { plus: true }), diana(identity()), marina(identity())]) {
    const { parameters } = minimise(mini, reducer, { rounds: 30, step: .2 });
    parameters.forEach((v, j) => assertAlmostEquals(v, plain[j]!, 1e-5));
  }
});
