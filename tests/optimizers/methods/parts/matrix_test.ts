import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { matricesOf, orthonormalise } from "../../../../optimizers/methods/parts/matrix.ts";

Deno.test("vectors of any size are made orthonormal, and a dependent one zero", () => {
  for (const size of [1, 1e-38, 1e38]) {
    const vectors = Float32Array.from([3, 4, 0, 1, 2, 2, 6, 8, 0].map((v) => v * size * .4));
    orthonormalise(vectors, 3, 3);
    const dot = (i: number, j: number) =>
      [0, 1, 2].reduce((sum, l) => sum + vectors[3 * i + l]! * vectors[3 * j + l]!, 0);
    for (const [i, j, expected] of [[0, 0, 1], [1, 1, 1], [0, 1, 0], [2, 2, 0]] as const) {
      assertAlmostEquals(dot(i, j), expected, 1e-6);
    }
  }
});

Deno.test("vectors whose projections would leave float32 are made orthonormal", () => {
  const most = (2 - 2 ** -23) * 2 ** 127, vectors = Float32Array.of(most, most, most, most, most, -most);
  orthonormalise(vectors, 2, 3);
  [1, 1, 1, 1, 1, -2].forEach((v, i) => assertAlmostEquals(vectors[i]!, v / Math.sqrt(i < 3 ? 3 : 6), 1e-6));
});

Deno.test("shapes beyond 2²⁴ numbers are kept as they are", () => {
  const odd = 2 ** 24 + 1, layout = { names: ["a", "b", "c"], shapes: [[odd], [odd, 3], [2]], size: 4 * odd + 2 };
  assertEquals(matricesOf(layout).map(({ from, rows, columns }) => [from, rows, columns]), [
    [0, 1, odd],
    [odd, odd, 3],
    [4 * odd, 1, 2],
  ]);
});
