import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import { adiana, diana, minimise } from "../../../../optimizers/mod.ts";
import { fold, key, normal, uniform } from "../../../../random.ts";
import { keysOfStep } from "../../../../optimizers/methods/keys.ts";
import { bernoulli } from "../../../../optimizers/methods/parts/random_choice.ts";
import { compress, decompress } from "../../../../compressors/mod.ts";
import { rand } from "../../lockstep.ts";
import { mini, separable } from "../../problems.ts";

Deno.test("adiana takes the steps of its paper", () => {
  const compressor = rand(1), { convexity, largestSmoothness: L } = mini.constants, n = 3, d = 3, omega = 2;
  for (const parameters of ["A", "B"] as const) {
    const eta = .02, method = adiana(compressor, { convexity, smoothness: L, parameters });
    let p = 1 / (1 + omega), theta1 = Math.sqrt(convexity / L) / 3, theta2 = 1 / (3 * Math.sqrt(n) + 3 * n / omega);
    let gamma = eta / (2 * theta1 + eta * convexity), beta = 2 * theta1 / (2 * theta1 + eta * convexity);
    if (parameters === "A") {
      p = Math.min(1, Math.max(1, Math.sqrt(n / (32 * omega)) - 1) / (2 * (1 + omega)));
      theta1 = Math.min(1 / 4, Math.sqrt(eta * convexity / p)), theta2 = 1 / 2;
      gamma = eta / (2 * (theta1 + eta * convexity)), beta = 1 - gamma * convexity;
    }
    const zeros = () => new Float64Array(d);
    let x = zeros(), y = zeros(), z = zeros(), w = zeros();
    const shifts = [zeros(), zeros(), zeros()], mean = zeros();
    for (let step = 0; step < 60; step++) {
      const { keyOf, shared } = keysOfStep(0, step);
      const ofRank = (rank: number, at: Float64Array, which: number) => {
        const gradient = new Float32Array(d), key = fold(keyOf(rank), which);
        mini.gradient(rank, Float32Array.from(at), gradient);
        for (let j = 0; j < d; j++) gradient[j]! -= shifts[rank]![j]!;
        return decompress(compressor, compress(compressor, gradient, key), key, d);
      };
      const atX = shifts.map((_, rank) => ofRank(rank, x, 0)), atW = shifts.map((_, rank) => ofRank(rank, w, 1));
      const g = mean.map((h, j) => h + atX.reduce((sum, m) => sum + m[j]! / n, 0)),
        next = x.map((v, j) => v - eta * g[j]!);
      atW.forEach((c, rank) => c.forEach((v, j) => (shifts[rank]![j]! += v / 3, mean[j]! += v / 3 / n)));
      z = z.map((v, j) => beta * v + (1 - beta) * x[j]! + gamma / eta * (next[j]! - x[j]!));
      if (bernoulli(fold(shared, 0), p)) w = y;
      y = next;
      x = z.map((v, j) => theta1 * v + theta2 * w[j]! + (1 - theta1 - theta2) * y[j]!);
    }
    const run = minimise(mini, method, { rounds: 60, step: eta });
    run.parameters.forEach((v, j) => assertAlmostEquals(v, x[j]!, 2e-5));
  }
});

Deno.test("ADIANA needs less than a quarter of DIANA's rounds where the condition number is 7400", () => {
  const size = 10, kappa = 7400, a: number[][] = [], b: number[][] = [];
  for (let rank = 0; rank < 5; rank++) {
    const spread = uniform(fold(key(5), rank), new Float32Array(size));
    a.push(Array.from(spread, (v, j) => kappa ** (j / (size - 1)) * (.5 + v)));
    b.push(Array.from(normal(fold(key(6), rank), new Float32Array(size)), (v) => 3 * v));
  }
  const problem = separable(a, b);
  const { convexity } = problem.constants, options = { error: 1e-6, every: 1e6 };
  const fast = minimise(problem, adiana(rand(5), { convexity }), { ...options, rounds: 20000 });
  assert(fast.reached, `${fast.error}`);
  const slow = minimise(problem, diana(rand(5)), { ...options, rounds: 4 * fast.round });
  assert(!slow.reached, `ADIANA took ${fast.round} rounds, DIANA ${slow.round}`);
});
