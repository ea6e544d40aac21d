import { assert, assertEquals } from "@std/assert/mod.js";
import { fold, key } from "../../random.ts";
import { type ProblemKind, randomProblem } from "../../testing/random_problem.ts";

const limits = { ranks: [1, 3], size: 6, condition: 100 };

for (const kind of ["quadratic", "ridge", "logistic"] satisfies ProblemKind[]) {
  Deno.test(`randomProblem: ${kind} problems follow from the key, stay within the limits and differ`, () => {
    const problems = Array.from({ length: 30 }, (_, i) => randomProblem(kind, fold(key(1), i), limits));
    assertEquals(randomProblem(kind, fold(key(1), 7), limits).constants, problems[7]!.constants);
    for (const { constants: { ranks, size, smoothness, convexity } } of problems) {
      assert(limits.ranks.includes(ranks) && size >= 1 && size <= limits.size);
      // The term λ/2 ‖x‖² of the others adds as much to the smoothness as to the convexity.
      assert(convexity > 0 && smoothness / convexity < 1.01 * limits.condition + 1, `κ = ${smoothness / convexity}`);
    }
    const sizes = new Set(problems.map(({ constants }) => constants.size));
    const ranks = new Set(problems.map(({ constants }) => constants.ranks));
    assertEquals([sizes.size, ranks.size], [6, 2]);
  });
}
