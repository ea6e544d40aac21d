import { assertAlmostEquals } from "@std/assert/mod.js";
import { DISTORTION, LLOYD_MAX } from "../../../../compressors/quantizers/eden/lloyd_max.ts";

Deno.test("the Lloyd–Max tables are fixed points: levels are the means of their cells", () => {
  // Cell moments by the midpoint rule on 4e5 points of [0, 9].
  for (const bits of [1, 2, 3, 4, 5, 6]) {
    const levels = LLOYD_MAX[bits]!, mass = levels.map(() => 0), mean = levels.map(() => 0), step = 9 / 4e5;
    let distortion = 0, cell = 0;
    for (let z = step / 2; z < 9; z += step) {
      while (cell + 1 < levels.length && z > (levels[cell]! + levels[cell + 1]!) / 2) cell++;
      const p = 2 * step * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
      mass[cell]! += p, mean[cell]! += p * z, distortion += p * (z - levels[cell]!) ** 2;
    }
    levels.forEach((q, i) => assertAlmostEquals(mean[i]! / mass[i]!, q, 1e-4));
    assertAlmostEquals(distortion, DISTORTION[bits]!, 1e-7);
  }
});
