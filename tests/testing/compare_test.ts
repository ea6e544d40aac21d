import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { assert, excerpt } from "../../testing/compare.ts";

Deno.test("compare: a condition that fails says what is wrong, and vectors are cut short", () => {
  assertEquals(excerpt(Float32Array.of(3, -4)), "[3, -4]");
  assertEquals(excerpt(new Float32Array(9)), "[0, 0, 0, 0, 0, 0, 0, 0, … 9 numbers]");
  assert(true, () => "no");
  assertThrows(() => assert(false, () => "what is wrong"), Error, "what is wrong");
});
