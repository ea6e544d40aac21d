import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { huffman } from "../../../compressors/coding/huffman.ts";

/** The number of decisions to the leaf of a symbol, which must be reached. */
function depthOf({ children, paths }: ReturnType<typeof huffman>, symbol: number): number {
  let node = 0, depth = 0;
  for (let path = paths[symbol]!; node >= 0; path >>= 1, depth++) node = children[2 * node + (path & 1)]!;
  assertEquals(~node, symbol);
  return depth;
}

Deno.test("each path leads to its symbol, and the mean path is the shortest there is", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 12 }), (weights) => {
    const tree = huffman(Float64Array.from(weights));
    const mean = weights.reduce((sum, weight, symbol) => sum + weight * depthOf(tree, symbol), 0);
    // The sum of the weights of all merged nodes is the least total path.
    const open = [...weights];
    let least = 0;
    while (open.length > 1) {
      open.sort((a, b) => b - a);
      const merged = open.pop()! + open.pop()!;
      least += merged, open.push(merged);
    }
    assertAlmostEquals(mean, least, 1e-9);
  }));
});

Deno.test("of equal weights the earlier ones are merged first", () => {
  assertEquals([...huffman(Float64Array.of(1, 1, 1)).children], [1, ~2, ~1, ~0]);
});
