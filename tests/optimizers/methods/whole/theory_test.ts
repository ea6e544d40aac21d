/** What theory says of the methods on quadratics, and what simulations in float64 found (methods.md, sections 4 and 5). */

import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import { identity } from "../../../../compressors/mod.ts";
import {
  adiana,
  average,
  diana,
  doubleSqueeze,
  ef21,
  errorFeedback,
  marina,
  type Method,
  minimise,
  type Problem,
  quadratic,
} from "../../../../optimizers/mod.ts";
import { rand, top } from "../../lockstep.ts";
import { hq, mini, onHq } from "../../problems.ts";

/** On HQ, from methods.md: rounds to 1e-20 of the start in float64; half of them is the share of 1e-10. */
const { convexity = 1, largestSmoothness = 1 } = hq?.constants ?? {};
const setB = { convexity, smoothness: largestSmoothness, parameters: "B" } as const;
const exact: [what: string, method: Method, rounds: number, multiplier?: number][] = [
  ["GD", average(), 2 * 50],
  ["DIANA with Rand-4", diana(rand(4)), 1308],
  ["EF21 with Top-4", ef21(top(4)), 1817],
  ["EF21+ with Top-4", ef21(top(4), { plus: true }), 1817],
  ["MARINA with Rand-4", marina(rand(4)), 558],
  ["ADIANA, parameters A, with Rand-4", adiana(rand(4), { convexity }), 6929],
  ["ADIANA, parameters B × 10, with Rand-4", adiana(rand(4), setB), 5061, 10],
  ["ADIANA, parameters B × 100, with Rand-4", adiana(rand(4), setB), 528, 100],
];

for (const [what, method, rounds, multiplier = 1] of exact) {
  onHq(`${what} falls to 1e-10 within 1.3 times its share of ${rounds} rounds`, (hq) => {
    const most = Math.ceil(1.3 * rounds / 2);
    const run = minimise(hq, method, { rounds: most, error: 1e-10, every: 1000, multiplier });
    assert(run.reached, `after ${most} rounds the error is ${run.error}`);
  });
}

onHq("EF21's theory step is .0883 / Lmax, and .122 / Lmax where nothing is known of μ", ({ constants }) => {
  const step = (convexity: number) => ef21(top(4)).stepSize!({ ...constants, convexity }) * constants.largestSmoothness;
  assertAlmostEquals(step(constants.convexity), .0883, 5e-5);
  assertAlmostEquals(step(0), .122, 5e-4);
});

/** ‖x − x*‖² (not relative) averaged over the rounds after `from`. */
function floor(problem: NonNullable<typeof hq>, method: Method, step: number, from: number, rounds: number): number {
  const { history } = minimise(problem, method, { rounds, step });
  const start = problem.minimiser.reduce((sum, v) => sum + v * v, 0), late = history.slice(from);
  return start * late.reduce((sum, { error }) => sum + error, 0) / late.length;
}

/**
 * tr S of the stationary S = E (x − x*)(x − x*)ᵀ of DCGD with Rand-k on a quadratic: the fixed point of
 * S ← (I − γ A) S (I − γ A) + (γ/n)² Σ (E C(v) C(v)ᵀ − E v vᵀ), v = Aᵢ (x − bᵢ), where E C(v) C(v)ᵀ has v vᵀ times d/k on its
 * diagonal and times d (k − 1) / k (d − 1) elsewhere.
 */
function stationary({ constants, gradient, minimiser }: Problem, k: number, step: number): number {
  const { size: d, ranks: n } = constants, at = Float32Array.from(minimiser), into = new Float32Array(d);
  const square = (entry: (i: number, j: number) => number) =>
    Array.from({ length: d }, (_, i) => Float64Array.from({ length: d }, (_, j) => entry(i, j)));
  const times = (a: Float64Array[], b: Float64Array[]) =>
    square((i, j) => a[i]!.reduce((sum, v, l) => sum + v * b[l]![j]!, 0));
  const parts = Array.from({ length: n }, (_, rank) => {
    gradient(rank, at, into);
    const g = into.slice(),
      columns = Array.from({ length: d }, (_, j) => {
        const moved = at.slice();
        moved[j]! += 1;
        gradient(rank, moved, into);
        return into.map((v, i) => v - g[i]!);
      });
    return { g, a: square((i, j) => columns[j]![i]!) };
  });
  const shrink = square((i, j) => (i === j ? 1 : 0) - step * parts.reduce((sum, { a }) => sum + a[i]![j]! / n, 0));
  let s = square(() => 0);
  for (let t = 0; t < 100; t++) {
    const moved = times(times(shrink, s), shrink);
    const noise = parts.map(({ a, g }) => {
      const second = times(times(a, s), a);
      return square((i, j) => (second[i]![j]! + g[i]! * g[j]!) * (i === j ? d / k - 1 : d * (k - 1) / k / (d - 1) - 1));
    });
    s = square((i, j) => moved[i]![j]! + (step / n) ** 2 * noise.reduce((sum, part) => sum + part[i]![j]!, 0));
  }
  return s.reduce((sum, row, i) => sum + row[i]!, 0);
}

onHq("DCGD stalls: with Rand-4 at the error of its stationary law, with Top-4 at 58 or so", (hq) => {
  const step = 1 / (hq.constants.smoothness + 8 * largestSmoothness / 5), predicted = stationary(hq, 4, step);
  const unbiased = floor(hq, average(rand(4)), step, 200, 8000),
    biased = floor(hq, average(top(4)), step, 1000, 2000);
  // The standard error of the mean over so many rounds, which are correlated, is 2 % or so.
  assertAlmostEquals(unbiased / predicted, 1, .07, `${unbiased}, predicted ${predicted}`);
  assertAlmostEquals(biased / 58, 1, .05, `${biased}`);
});

onHq("error feedback has a floor that falls with the square of the step size", (hq) => {
  const one = floor(hq, errorFeedback(top(4)), .0204, 1500, 3000),
    two = floor(hq, errorFeedback(top(4)), .0041, 6000, 9000);
  assertAlmostEquals(one / 3.1e-2, 1, .25, `${one}`);
  assertAlmostEquals(two / 1.6e-3, 1, .25, `${two}`);
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
  for (const method of [ef21(identity()), ef21(identity(), { plus: true }), diana(identity()), marina(identity())]) {
    const { parameters } = minimise(mini, method, { rounds: 30, step: .2 });
    parameters.forEach((v, j) => assertAlmostEquals(v, plain[j]!, 1e-5));
  }
});
