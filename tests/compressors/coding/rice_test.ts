import { assert, assertEquals } from "@std/assert/mod.js";
import { riceBits, riceBitsOf } from "../../../compressors/coding/rice.ts";

Deno.test("Rice's parameter is round(log₂(ln 2 · mean)), at least 0", () => {
  for (let size = 1; size < 3000; size += 7) {
    for (let count = 1; count <= size; count += 1 + size / 20 | 0) {
      const expected = Math.max(0, Math.round(Math.log2(Math.LN2 * size / count)));
      assertEquals([riceBits(count, size), riceBitsOf(count / size)], [expected, expected]);
    }
  }
  assertEquals([riceBits(0, 0), riceBits(0, 1), riceBitsOf(2 ** -40)], [0, 0, 39]);
});

Deno.test("no other number of raw bits makes gaps shorter by a hundredth", () => {
  // A geometric gap of success probability p: quotients of 2^r take 1/(1 − (1 − p)^(2^r)) bits in the mean.
  const bits = (p: number, r: number) => r + 1 / (1 - (1 - p) ** (2 ** r));
  for (const p of [0.5, 0.3, 0.1, 0.03, 1e-3, 1e-5]) {
    const least = Math.min(...Array.from({ length: 25 }, (_, r) => bits(p, r)));
    assert(bits(p, riceBitsOf(p)) < 1.01 * least, `${bits(p, riceBitsOf(p))}, ${least} at ${p}`);
  }
});
