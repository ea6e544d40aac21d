import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Count, countOf } from "../../../compressors/sparsifiers/count.ts";

Deno.test("a count is at most all numbers, and a share at least one of them", () => {
  assertEquals([0, 1, 3, 100].map(countOf("topK", { k: 3 })), [0, 1, 3, 3]);
  assertEquals([0, 1, 19, 55, 100].map(countOf("topK", { ratio: 0.1 })), [0, 1, 1, 5, 10]);
});

Deno.test("a count that is no count is refused under the name of who asks", () => {
  assertThrows(() => countOf("randK", { k: 1.5 }), RangeError, "Cannot make randK: k is 1.5, expected an integer ≥ 1");
  assertThrows(() => countOf("randK", { ratio: 0 }), RangeError, "ratio is 0, expected a number > 0 and ≤ 1");
  assertThrows(() => countOf("topK", {} as Count), TypeError, "k is undefined and ratio is undefined");
  assertThrows(() => countOf("topK", { k: 1, ratio: 1 } as Count), TypeError, "expected one of the two");
});
