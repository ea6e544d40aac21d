import { blocksOf, byColumns } from "../../../../optimizers/methods/error_feedback/column_blocks.ts";
import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { key } from "../../../../random.ts";

Deno.test("blocks are whole columns of at least so many numbers, counted exactly beyond 2²⁴", () => {
  const odd = 2 ** 24 + 1, bytes = 2 ** 24 + 5;
  assertEquals([...blocksOf({ names: ["a"], shapes: [[odd, 1]], size: odd }, bytes)], [odd, bytes]);
  assertEquals([...blocksOf({ names: ["a", "b", "c"], shapes: [[3, 4], [5], []], size: 18 }, 5)], [12, 8, 5, 5, 1, 5]);
});

Deno.test("a stripe's blocks are those of the vector, cut where the stripe begins and ends", () => {
  // Blocks of 4 and 2 numbers; the stripe begins in the first.
  const blocks = blocksOf({ names: ["a", "b"], shapes: [[2, 4], [2]], size: 10 }, 4), stripe = byColumns(blocks, 3);
  const vector = Float32Array.of(1, 2, 4, -3, -5, 6, 8), message = new Uint8Array(stripe.maxByteLength(7));
  const length = stripe.encode(vector, key(1), message), into = new Float32Array(7);
  stripe.decodeAdd(message.subarray(0, length), key(1), 1, into);
  assertEquals(into, Float32Array.of(1, 3, 3, -4, -4, 7, 7));
  assertThrows(() => stripe.decodeAdd(message.subarray(1), key(1), 1, into), RangeError);
});
