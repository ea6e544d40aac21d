import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { key, normal } from "../../../random.ts";
import { launch } from "../../../transport/launch/mod.ts";
import {
  average,
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

Deno.test("minimise on real ranks finds what ranks in one thread find, to the bit", async () => {
  await launch({ script: new URL("../minimise_rank.ts", import.meta.url), ranks: 3, timeout: 20_000 });
});
