import { assertAlmostEquals } from "@std/assert/mod.js";
import { capProbability } from "../../../examples/paper/sampled_spherical.ts";

Deno.test("the share of a cap has its known values", () => {
  // methods.md, section 5.
  for (
    const [a, d, p] of [[.1, 2, .1024], [.1, 4, 6.923e-3], [.1, 6, 5.572e-4], [.25, 8, 1.268e-3], [
      .5,
      20,
      1.689e-4,
    ]] as const
  ) {
    assertAlmostEquals(capProbability(a, d) / p, 1, 5e-4);
  }
  assertAlmostEquals(capProbability(.36, 3), (1 - .8) / 2, 1e-14); // Archimedes: a cap's share is its height's
});
