import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { assert, bytesOf, equal, excerpt, largest, squaredDistance, squaredNorm } from "../../testing/compare.ts";

Deno.test("compare: numbers, bytes and words of vectors", () => {
  const x = Float32Array.of(3, -4), y = Float32Array.of(0, 0);
  assertEquals([largest(x), squaredNorm(x), squaredDistance(x, y), largest(y.subarray(2))], [4, 25, 25, 0]);
  assertEquals([equal(bytesOf(x), bytesOf(x.slice())), equal(bytesOf(x), bytesOf(y))], [true, false]);
  assertEquals(equal(bytesOf(y), bytesOf(y.subarray(1))), false);
  assertEquals([excerpt(x), excerpt(new Float32Array(9))], ["[3, -4]", "[0, 0, 0, 0, 0, 0, 0, 0, … 9 numbers]"]);
  bytesOf(x).fill(0);
  assertEquals(x, y);
  assert(true, () => "no");
  assertThrows(() => assert(false, () => "what is wrong"), Error, "what is wrong");
});
