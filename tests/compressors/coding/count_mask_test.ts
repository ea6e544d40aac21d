import { assert } from "@std/assert/mod.js";
import fc from "fast-check";
import { decodeCountMask, encodeCountMask } from "../../../compressors/coding/count_mask.ts";
import { choose, key } from "../../../random.ts";
import { assertRead, entropy, sets } from "./sets.ts";

Deno.test("count-mask: what was written is read, from any bit, and other bits are left alone", () => {
  assertRead(encodeCountMask, decodeCountMask);
});

Deno.test("count-mask: at most 2 bits above log₂ C(size, count)", () => {
  fc.assert(
    fc.property(sets, ({ size, count, indices, bitAt }) => {
      const length = encodeCountMask(indices, count, size, new Uint8Array(80), bitAt) - bitAt;
      assert(length <= entropy(count, size) + 2 && length >= entropy(count, size) - 1e-9);
    }),
    { numRuns: 1000 },
  );
  for (const [count, size] of [[200, 20000], [10000, 20000], [300000, 1000000]] as const) {
    const length = encodeCountMask(choose(key(3), count, size), count, size, new Uint8Array(size / 8 + 9), 0);
    assert(length <= entropy(count, size) + 2, `${length} bits for ${count} of ${size}`);
  }
});
