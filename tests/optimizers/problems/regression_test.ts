import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { key, normal } from "../../../random.ts";
import { logistic, type Problem, readLibsvm, ridge } from "../../../optimizers/mod.ts";

const text = `+1 1:0.5 3:-2 # comment
-1 2:1 3:.25
+1 1:-1 2:0.5 3:1
-1 1:2 3:1
-1 2:-1
`;

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

function meanGradient(problem: Problem, at: Float32Array): Float64Array {
  const { ranks, size } = problem.constants, mean = new Float64Array(size), into = new Float32Array(size);
  for (let rank = 0; rank < ranks; rank++) {
    problem.gradient(rank, at, into);
    into.forEach((v, j) => mean[j]! += v / ranks);
  }
  return mean;
}

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
