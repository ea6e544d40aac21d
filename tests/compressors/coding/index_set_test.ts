import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { decodeIndexSet, encodeIndexSet, indexSetBitLength } from "../../../compressors/coding/index_set.ts";
import { choose, key } from "../../../random.ts";
import { assertRead, entropy, sets } from "./sets.ts";

Deno.test("index set: what was written is read, from any bit, and other bits are left alone", () => {
  assertRead(encodeIndexSet, decodeIndexSet);
});

Deno.test("index set: the shortest of its forms, and never above its bound", () => {
  const length = (indices: Uint32Array, size: number) =>
    encodeIndexSet(indices, indices.length, size, new Uint8Array(size / 4 + 9), 0);
  fc.assert(
    fc.property(sets, ({ size, count, indices, bitAt }) => {
      const length = encodeIndexSet(indices, count, size, new Uint8Array(80), bitAt) - bitAt;
      assert(length <= indexSetBitLength(count, size));
      assert(length <= 2 + size && length <= 3 + entropy(count, size));
    }),
  );
  assertEquals(length(new Uint32Array(0), 100), 0);
  assertEquals(length(Uint32Array.from({ length: 100 }, (_, i) => i), 100), 0);
  // A run at the start costs 2 bits each as Rice-coded gaps; log₂ C(60000, 100) is 1062.
  assert(length(Uint32Array.from({ length: 100 }, (_, i) => i), 60000) <= 1063);
  // Beyond 2¹⁶ positions: 1.4 % above log₂ C at a tenth, 3 % above at two fifths.
  for (const [ratio, above] of [[0.001, 1.01], [0.01, 1.01], [0.1, 1.02], [0.4, 1.031], [0.7, 1.14]] as const) {
    const size = 200000, count = ratio * size, indices = choose(key(5), count, size), out = new Uint32Array(count);
    const message = new Uint8Array(size), end = encodeIndexSet(indices, count, size, message, 3);
    assert(end - 3 <= above * entropy(count, size), `${end} bits at ${ratio}, ${entropy(count, size)} needed`);
    assertEquals(decodeIndexSet(message, 3, count, size, out), end);
    assertEquals(out, indices);
  }
});

Deno.test("index set: golden bits", () => {
  const message = new Uint8Array(9);
  // "0", then 9 bits of count-mask: log₂ C(12, 3) is 7.8.
  assertEquals(encodeIndexSet(Uint32Array.of(2, 3, 9), 3, 12, message, 0), 10);
  assertEquals(message.subarray(0, 2).toHex(), "4280");
  // "0", then gaps 4999 and 300 with 15 bits as they are after "0".
  assertEquals(encodeIndexSet(Uint32Array.of(4999, 5300), 2, 2 ** 17, message.fill(0), 0), 33);
  assertEquals(message.subarray(0, 5).toHex(), "09c3809600");
});

Deno.test("index set: any bytes are a set or refused", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(200),
      fc.nat(200),
      fc.nat(9),
      (message, count, more, bitAt) => {
        for (const size of [count + more, 2 ** 17]) {
          const out = new Uint32Array(count);
          try {
            decodeIndexSet(message, bitAt, count, size, out);
            assert(out.every((index, i) => index < size && (i === 0 || index > out[i - 1]!)));
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
  assertThrows(() => decodeIndexSet(Uint8Array.of(0xff), 0, 2, 6, new Uint32Array(2)), RangeError, "has 6 indices");
  assertThrows(() => decodeIndexSet(Uint8Array.of(0x80), 0, 2, 2 ** 17, new Uint32Array(2)), RangeError, "form is 10");
});
