import { assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { selectLargest } from "../../../compressors/kernels/select_largest.ts";

Deno.test("selects what a stable sort would, of equal magnitudes the lowest index", () => {
  const vectors = fc.oneof(
    fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 50 }),
    fc.array(fc.constantFrom(-2, -1, -0, 0, 1, 2), { maxLength: 50 }).map((list) => Float32Array.from(list)),
  );
  fc.assert(
    fc.property(vectors, fc.nat(50), (x, n) => {
      const count = Math.min(n, x.length), indices = new Uint32Array(count);
      selectLargest(x, count, indices);
      const order = [...x.keys()].sort((a, b) => Math.abs(x[b]!) - Math.abs(x[a]!) || a - b);
      assertEquals([...indices], order.slice(0, count).sort((a, b) => a - b));
    }),
    { numRuns: 1000 },
  );
});
