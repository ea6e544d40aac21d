import { assertAlmostEquals, assertThrows } from "@std/assert/mod.js";
import { quadratic } from "../../../optimizers/mod.ts";

/** HQ-mini of three ranks and three parameters: its minimiser and gradients are known in closed form. */
const a = [[1, 2, .5], [3, 1, 1], [.5, .5, 4]], b = [[1, 0, 2], [-1, 2, 0], [3, -2, 1]];

const mini = quadratic(a.map((row, i) => ({ a: row.map((v, j) => row.map((_, k) => j === k ? v : 0)), b: b[i]! })));

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

Deno.test("what is no quadratic is refused, with what is wrong", () => {
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
