import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { key, normal } from "../../../random.ts";
import { launch } from "../../../transport/launch/mod.ts";
import {
  average,
  logistic,
  majorityVote,
  minimise,
  type Problem,
  quadratic,
  readLibsvm,
  ridge,
} from "../../../optimizers/mod.ts";

/** HQ-mini of three ranks and three parameters: its minimiser and gradients are known in closed form. */
const a = [[1, 2, .5], [3, 1, 1], [.5, .5, 4]], b = [[1, 0, 2], [-1, 2, 0], [3, -2, 1]];
const mini = quadratic(a.map((row, i) => ({ a: row.map((v, j) => row.map((_, k) => j === k ? v : 0)), b: b[i]! })));

const text = `+1 1:0.5 3:-2 # comment
-1 2:1 3:.25
+1 1:-1 2:0.5 3:1
-1 1:2 3:1
-1 2:-1
`;

Deno.test("the small heterogeneous quadratic has its known optimum and constants", () => {
  [-.11111111, .28571429, .90909091].forEach((v, j) => assertAlmostEquals(mini.minimiser[j]!, v, 1e-8));
  const { smoothness, largestSmoothness, meanSquareSmoothness, convexity } = mini.constants;
  assertAlmostEquals(smoothness, 5.5 / 3, 1e-12);
  assertAlmostEquals(largestSmoothness, 4, 1e-12);
  assertAlmostEquals(meanSquareSmoothness, Math.sqrt(29 / 3), 1e-12);
  assertAlmostEquals(convexity, 3.5 / 3, 1e-12);
  const gradients = [0, 1, 2].map((rank) => {
    const into = new Float32Array(3);
    mini.gradient(rank, Float32Array.from(mini.minimiser), into);
    return into.reduce((sum, v) => sum + v * v, 0);
  });
  assertAlmostEquals(gradients.reduce((s, v) => s + v) / 3, 5.53101967, 1e-5);
});

Deno.test("gradients are the derivatives of the loss, and the minimiser is where they vanish", () => {
  for (const by of ["rows", "label"] as const) {
    for (const [make, ranks] of [[ridge, 2], [logistic, 2], [ridge, 1], [logistic, 5]] as const) {
      const problem = make(readLibsvm(text), { ranks, by, lambda: .1 });
      const at = normal(key(ranks), new Float32Array(3)), mean = meanGradient(problem, at);
      for (let j = 0; j < 3; j++) {
        const h = 2 ** -7, up = at.slice(), down = at.slice();
        up[j]! += h, down[j]! -= h;
        assertAlmostEquals(mean[j]!, (problem.loss(up) - problem.loss(down)) / (up[j]! - down[j]!), 1e-4);
      }
      for (const v of meanGradient(problem, Float32Array.from(problem.minimiser))) assertAlmostEquals(v, 0, 1e-6);
      const into = new Float32Array(3), whole = new Float32Array(3);
      problem.gradient(0, at, whole);
      problem.gradient(0, at, into, Uint32Array.from({ length: problem.terms(0) }, (_, i) => i));
      assertEquals(into, whole);
    }
  }
});

Deno.test("gradient descent at its theory step takes the rounds that its rate gives, and its bytes are exact", () => {
  const start = normal(key(4), new Float32Array(3)), { smoothness, convexity } = mini.constants;
  const run = minimise(mini, average(), { rounds: 100, error: 1e-10, start });
  assert(run.reached);
  assert(run.round <= Math.ceil(Math.log(1e-10) / Math.log(1 - convexity / smoothness) / 2) + 1, `${run.round} rounds`);
  assertEquals(run.bytes, 12 * run.round);
  assertEquals(run.history.length, run.round + 1);
  const stopped = minimise(mini, average(), { rounds: 100, bytes: 60, start });
  assertEquals([stopped.round, stopped.bytes, stopped.reached], [5, 60, false]);
});

Deno.test("a run that diverges ends before its numbers exceed float32", () => {
  const start = normal(key(4), new Float32Array(3));
  const { error, round, reached } = minimise(mini, average(), { rounds: 10_000, multiplier: 50, error: 1e-6, start });
  assert(error >= 1e20 && Number.isFinite(error) && round < 100 && !reached, `error ${error} after ${round} rounds`);
});

Deno.test("a prox keeps the iterates in its set", () => {
  const prox = (x: Float32Array) => x.forEach((v, j) => x[j] = Math.max(0, v));
  const { parameters } = minimise(mini, average(), { rounds: 200, prox });
  [0, .28571429, .90909091].forEach((v, j) => assertAlmostEquals(parameters[j]!, v, 1e-6));
});

Deno.test("what cannot be run is refused", () => {
  assertThrows(() => minimise(mini, average(), { rounds: 1, step: 0 }), RangeError, "step size is 0");
  for (
    const [options, message] of [
      [{ rounds: NaN }, "rounds is NaN, expected an integer ≥ 0"],
      [{ rounds: 1, batch: 0 }, "batch is 0, expected an integer ≥ 1"],
      [{ rounds: 1, every: .5 }, "every is 0.5, expected an integer ≥ 1"],
      [{ rounds: 1, multiplier: Infinity }, "the step size is Infinity, expected a positive number"],
      [{ rounds: 1, start: new Float32Array(2) }, "start has 2 numbers, expected the problem's 3"],
      [{ rounds: 1, minimiser: [0] }, "minimiser has 1 numbers, expected the problem's 3"],
    ] as const
  ) assertThrows(() => minimise(mini, average(), options), RangeError, message);
  assertThrows(
    () => minimise(mini, majorityVote(), { rounds: 1 }),
    RangeError,
    "Cannot minimise with majorityVote: its theory has no step size for this problem and none is given, expected the " +
      "option step",
  );
});

Deno.test("what is no problem is refused, with what is wrong", () => {
  const rows = readLibsvm(text);
  assertThrows(() => ridge(rows, { ranks: 6 }), RangeError, "ranks is 6");
  assertThrows(() => ridge(rows, { lambda: -1 }), RangeError, "lambda is -1, expected a number ≥ 0");
  assertThrows(() => ridge(rows, { by: "column" as never }), TypeError, "one of rows, label");
  assertThrows(() => ridge(rows, { rank: 2 } as never), TypeError, 'no option "rank"');
  assertThrows(() => ridge(readLibsvm("# nothing\n")), RangeError, "Cannot make ridge: there are no rows");
  assertThrows(() => logistic(readLibsvm("")), RangeError, "Cannot make logistic: there are no rows");
  const wrong: [Partial<typeof rows>, string][] = [
    [{ features: 2 }, "row 0 has index 2, expected one below 2"],
    [{ values: rows.values.map((v, e) => e === 3 ? NaN : v) }, "row 1 holds NaN"],
    [{ labels: rows.labels.map((v, row) => row === 4 ? Infinity : v) }, "row 4 has the label Infinity"],
    [{ values: rows.values.subarray(1) }, "9 values for 10 indices"],
    [{ starts: rows.starts.subarray(1) }, "starts has 5 numbers from 2 to 10, expected 6 from 0 to 10"],
    [{ starts: Uint32Array.of(0, 4, 2, 7, 9, 10) }, "row 1 ends before it starts"],
  ];
  for (const [change, message] of wrong) assertThrows(() => ridge({ ...rows, ...change }), RangeError, message);

  const part = { a: [[1, 0], [0, 2]], b: [1, 1] };
  assertThrows(() => quadratic([]), RangeError, "expected a part for each rank");
  assertThrows(() => quadratic([part, { ...part, a: [[1, .5], [0, 2]] }]), RangeError, "A of rank 1 has 0.5 at (0, 1)");
  assertThrows(
    () => quadratic([part, { ...part, a: [[1, NaN], [NaN, 2]] }]),
    RangeError,
    "A of rank 1 has NaN at (0, 1)",
  );
  assertThrows(() => quadratic([part, { a: [[1]], b: [1] }]), RangeError, "A of rank 1 has 1 rows and b 1 numbers");
});

Deno.test("a term that a rank does not have is refused: it would count as a gradient of zeros", () => {
  const problem = ridge(readLibsvm(text), { ranks: 2 }), x = new Float32Array(3);
  problem.gradient(0, x, x.slice(), Uint32Array.of(2));
  assertThrows(
    () => problem.gradient(1, x, x.slice(), Uint32Array.of(2)),
    RangeError,
    "Cannot evaluate a gradient of ridge: rank 1 has no term 2, expected one below 2",
  );
});

Deno.test("logistic tells two classes apart however they are written, and refuses a third by its label", () => {
  const optimum = (
    labels: string,
  ) => [
    ...logistic(readLibsvm(labels.split(" ").map((l, i) => `${l} 1:${[1, -2, .5][i]} 2:1`).join("\n")), { lambda: .1 })
      .minimiser,
  ];
  const expected = optimum("+1 -1 +1");
  for (const labels of ["1 0 1", "2 1 2", "4 2 4", "1 -1 1", "0 -1 0"]) assertEquals(optimum(labels), expected, labels);
  assertThrows(
    () => optimum("1 2 3"),
    RangeError,
    "row 2 has the label 3, a third class beside 1 and 2, expected two classes",
  );
  // One class: its sign says which. log(1 + exp(−b aᵀx)) is the same function for (b, a) and (−b, −a).
  const one = (text: string) => logistic(readLibsvm(text), { lambda: .1 }).minimiser[0]!;
  const mixed = one("+1 1:1\n-1 1:-2\n");
  for (const [text, sign] of [["+1 1:1\n+1 1:2", 1], ["-1 1:1\n-1 1:2", -1], ["0 1:1\n0 1:2", -1]] as const) {
    assertAlmostEquals(one(text), sign * mixed, 1e-9, text);
  }
});

Deno.test("the smoothness of the largest term is that of the row that bends most", () => {
  const at = "1 1:3 2:4\n-1 1:1\n1 2:30\n";
  assertEquals(ridge(readLibsvm(at), { ranks: 3, lambda: .5 }).constants.largestTermSmoothness, 900.5);
  assertEquals(logistic(readLibsvm(at), { lambda: .5 }).constants.largestTermSmoothness, 225.5);
  const { constants } = ridge(readLibsvm(text), { ranks: 2 });
  assert(constants.largestTermSmoothness! >= constants.largestSmoothness);
  assert(constants.largestTermSmoothness! <= constants.terms! * constants.largestSmoothness);
});

Deno.test("every rank draws its own terms in every round, and all terms equally often", () => {
  const rows = readLibsvm(Array.from({ length: 24 }, (_, i) => `1 ${i + 1}:1`).join("\n"));
  const problem = ridge(rows, { ranks: 3, lambda: 1 }), drawn: number[][] = [[], [], []], rounds = 2000;
  const spy: Problem = {
    ...problem,
    get minimiser() {
      return problem.minimiser;
    },
    gradient(rank, at, into, terms) {
      drawn[rank]!.push(terms![0]!);
      problem.gradient(rank, at, into, terms);
    },
  };
  minimise(spy, average(), { rounds, step: .01, batch: 1, every: rounds });
  // Each count is binomial, with means 250 of 2 000 and 15 standard deviations or so of 15: six of them are a false alarm
  // in 1e-9 × 36 cases.
  const near = (count: number, what: string) => assert(Math.abs(count - 250) < 6 * Math.sqrt(250 * 7 / 8), what);
  drawn.forEach((own, rank) => {
    for (let term = 0; term < 8; term++) near(own.filter((t) => t === term).length, `rank ${rank}, term ${term}`);
    near(own.filter((t, round) => t === drawn[(rank + 1) % 3]![round]).length, `ranks ${rank} and the next agree`);
    near(own.filter((t, round) => t === own[(round + 1) % rounds]).length, `rank ${rank}, two rounds agree`);
  });
});

function meanGradient(problem: Problem, at: Float32Array): Float64Array {
  const { ranks, size } = problem.constants, mean = new Float64Array(size), into = new Float32Array(size);
  for (let rank = 0; rank < ranks; rank++) {
    problem.gradient(rank, at, into);
    into.forEach((v, j) => mean[j]! += v / ranks);
  }
  return mean;
}

Deno.test("minimise on real ranks finds what ranks in one thread find, to the bit", async () => {
  await launch({ script: new URL("../minimise_rank.ts", import.meta.url), ranks: 3, timeout: 20_000 });
});
