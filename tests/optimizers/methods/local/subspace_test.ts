import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { lowRankSubspace, maskSubspace } from "../../../../optimizers/methods/local/subspace.ts";
import { context, workspace } from "../../../../optimizers/mod.ts";
import { key, normal } from "../../../../random.ts";

const layout = { names: ["kernel", "bias"], shapes: [[6, 4], [3]], size: 27 };
const now = context({ seed: 1, step: 0, rank: 0, size: 1, layout, workspace: workspace() });

for (
  const [what, subspace, dimension] of [
    ["a mask", maskSubspace(.3), 8],
    ["low rank", lowRankSubspace(2), 2 * 4 + 3],
    ["a rank that leaves all matrices free", lowRankSubspace(6), 27],
  ] as const
) {
  Deno.test(`${what}: what is projected and added back is a projection, that of its key`, () => {
    assertEquals(subspace.dimension(layout), dimension);
    const vector = normal(key(7), new Float32Array(27)),
      project = (x: Float32Array, seed: number) => {
        const coordinates = new Float32Array(dimension), out = new Float32Array(27);
        subspace.project(x, key(seed), now, coordinates);
        subspace.addBack(coordinates, 1, key(seed), now, out);
        return out;
      };
    const once = project(vector, 3),
      dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, j) => sum + v * y[j]!, 0);
    project(once, 3).forEach((v, j) => assertAlmostEquals(v, once[j]!, 1e-5));
    assertAlmostEquals(dot(vector, once), dot(once, once), 1e-4);
    assertEquals(project(vector, 3), once);
    const other = project(vector, 4);
    assertEquals(other.some((v, j) => Math.abs(v - once[j]!) > 1e-3), dimension < 27);
  });
}
