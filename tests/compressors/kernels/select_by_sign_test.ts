import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { selectBySign } from "../../../compressors/kernels/select_by_sign.ts";

Deno.test("selects what a stable sort of the sign's numbers would, and returns their mean", () => {
  const values = fc.constantFrom(0, -0, 1, -1, 2.5, -2.5, 1e30, -1e-30);
  fc.assert(
    fc.property(
      fc.array(values, { maxLength: 30 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (list, proportion) => {
        const x = Float32Array.from(list);
        for (const sign of [1, -1] as const) {
          const signs = new Int32Array(x.length), mean = selectBySign(x, sign, proportion, signs);
          const own = [...x.keys()].filter((i) => sign * x[i]! > 0).sort((a, b) => sign * (x[b]! - x[a]!) || a - b);
          const chosen = own.slice(0, Math.ceil(proportion * own.length));
          assertEquals([...signs], [...x.keys()].map((i) => chosen.includes(i) ? sign : 0));
          const expected = chosen.reduce((sum, i) => sum + x[i]!, 0) / (chosen.length || 1);
          assertAlmostEquals(mean, expected, 1e-12 * Math.abs(expected));
        }
      },
    ),
  );
});
