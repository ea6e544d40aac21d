import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { key, normal } from "../../random.ts";
import { launch } from "../../transport/launch.ts";
import { average, logistic, minimise, type Problem, quadratic, readLibsvm, ridge } from "../../optimizers/mod.ts";

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

Deno.test("LIBSVM text is read, and what is not LIBSVM is refused by line", () => {
  const rows = readLibsvm(text);
  assertEquals(rows.features, 3);
  assertEquals([...rows.labels], [1, -1, 1, -1, -1]);
  assertEquals([...rows.starts], [0, 2, 4, 7, 9, 10]);
  assertEquals([...rows.indices], [0, 2, 1, 2, 0, 1, 2, 0, 2, 1]);
  for (const bad of ["x 1:2", "1 0:3", "1 2:1 2:1", "1 1:x", "1 1"]) {
    assertThrows(() => readLibsvm(`+1 1:1\n${bad}`), SyntaxError, "line 2");
  }
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
  assertThrows(() => ridge(readLibsvm(text), { ranks: 6 }), RangeError, "ranks is 6");
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
  await launch({ script: new URL("./minimise_rank.ts", import.meta.url), ranks: 3, timeout: 20_000 });
});
