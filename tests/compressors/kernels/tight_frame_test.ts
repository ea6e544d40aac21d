import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import { represent, synthesise } from "../../../compressors/kernels/tight_frame.ts";
import { key } from "../../../random.ts";
import { gaussian, oneHot, squaredDistance, squaredNorm } from "../tools/draws.ts";

Deno.test("a representation stands for its vector, and its coefficients are nearly of one magnitude", () => {
  for (const size of [1, 8, 64, 4096]) {
    for (const shape of [gaussian(size), oneHot(size)]) {
      // The shortest representation has the norm of the vector and 2 · size coefficients, of mean square 1 here.
      const factor = Math.sqrt(2 * size / squaredNorm(shape)), x = shape.map((value) => factor * value);
      const b = new Float32Array(2 * size), largest = represent(x, b, key(3));
      assertAlmostEquals(largest, b.reduce((most, value) => Math.max(most, Math.abs(value)), 0), 1e-6);
      assert(squaredNorm(b) > 0.9999 * 2 * size, "shorter than the shortest");
      assert(size < 4096 || largest <= 2.01, `the largest coefficient of ${size} numbers is ${largest}`);
      synthesise(b, size, key(3));
      assert(squaredDistance(b.subarray(0, size), x) < 1e-9 * squaredNorm(x));
    }
  }
});
