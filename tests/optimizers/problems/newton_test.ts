import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { Matrix } from "../../../dependencies/ml_matrix.ts";
import { newton } from "../../../optimizers/problems/newton.ts";

Deno.test("a quadratic is minimised in one step", () => {
  let evaluated = 0;
  const x = newton(2, {
    gradient: (at, into) => (evaluated++, into[0] = 2 * at[0]! - 4, into[1] = 8 * at[1]! + 8),
    hessian: () => new Matrix([[2, 0], [0, 8]]),
  });
  assertEquals([...x], [2, -1]);
  assertEquals(evaluated, 2);
});

Deno.test("a step that overshoots is halved", () => {
  // log cosh(x − 3), from 0: whole steps would run away.
  const [x] = newton(1, {
    gradient: (at, into) => into[0] = Math.tanh(at[0]! - 3),
    hessian: (at) => new Matrix([[1 / Math.cosh(at[0]! - 3) ** 2]]),
  });
  assertAlmostEquals(x!, 3, 1e-9);
});
