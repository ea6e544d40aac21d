import { assert } from "@std/assert/mod.js";
import { adiana, diana, minimise } from "../../optimizers/mod.ts";
import { fold, key, normal, uniform } from "../../random.ts";
import { rand } from "./lockstep.ts";
import { separable } from "./problems.ts";

Deno.test("ADIANA needs less than a quarter of DIANA's rounds where the condition number is 7400", () => {
  const size = 20, kappa = 7400, a: number[][] = [], b: number[][] = [];
  for (let rank = 0; rank < 20; rank++) {
    const spread = uniform(fold(key(5), rank), new Float32Array(size));
    a.push(Array.from(spread, (v, j) => kappa ** (j / (size - 1)) * (.5 + v)));
    b.push(Array.from(normal(fold(key(6), rank), new Float32Array(size)), (v) => 3 * v));
  }
  const problem = separable(a, b);
  const { convexity } = problem.constants, options = { error: 1e-10, every: 1e6 };
  const fast = minimise(problem, adiana(rand(10), { convexity }), { ...options, rounds: 20000 });
  assert(fast.reached, `${fast.error}`);
  const slow = minimise(problem, diana(rand(10)), { ...options, rounds: 4 * fast.round });
  assert(!slow.reached, `ADIANA took ${fast.round} rounds, DIANA ${slow.round}`);
});
