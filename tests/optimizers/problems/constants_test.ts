import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { Matrix } from "../../../dependencies/ml_matrix.ts";
import { constantsOf } from "../../../optimizers/problems/constants.ts";

Deno.test("constants are the eigenvalues of the second derivatives", () => {
  // Eigenvalues 1 and 3; −1 and 5; of the mean 1 and 3.
  const hessians = [new Matrix([[2, 1], [1, 2]]), new Matrix([[2, 3], [3, 2]])], mean = new Matrix([[2, 1], [1, 2]]);
  const { size, ranks, ...found } = constantsOf(hessians, mean);
  assertEquals([size, ranks], [2, 2]);
  const expected = {
    smoothness: 3,
    largestSmoothness: 5,
    meanSquareSmoothness: Math.sqrt(17),
    largestTermSmoothness: 5,
    convexity: 1,
  };
  assertEquals(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) {
    assertAlmostEquals(found[name as keyof typeof expected]!, value, 1e-12, name);
  }
  assertEquals(constantsOf(hessians, mean, .25).convexity, .25);
  // A mean that bends down has no convexity, and the magnitude for its smoothness.
  const down = constantsOf(hessians, new Matrix([[-4, 0], [0, 1]]));
  assertEquals([down.convexity, down.smoothness], [0, 4]);
});
