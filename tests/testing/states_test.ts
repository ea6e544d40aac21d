import { assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert/mod.js";
import { copyState, difference, requireSame, requireSameState } from "../../testing/states.ts";

const state = (error: number[], rate = 1) => ({
  local: { error: Float32Array.from(error) },
  shared: { rate: Float64Array.of(rate) },
});

Deno.test("states: a copy is equal, and its vectors are its own", () => {
  const one = state([1, -0, NaN]), copy = copyState(one);
  requireSameState(one, copy, "the copy");
  assertNotStrictEquals(copy.local["error"], one.local.error);
});

Deno.test("states: what differs, to the last bit, is told with its place", () => {
  assertEquals(difference(Float32Array.of(1, 2), Float32Array.of(1, 2)), undefined);
  assertEquals(difference(Float32Array.of(0), Float32Array.of(-0)), "number 0 is 0 and 0");
  assertEquals(difference(Float32Array.of(1), Float32Array.of(1, 2)), "number 1 is undefined and 2");
  assertThrows(
    () => requireSame(Float32Array.of(1), Float32Array.of(2), "sums"),
    Error,
    "sums differ: number 0 is 1 and 2",
  );
  assertThrows(() => requireSameState(state([1]), state([2]), "rank 1"), Error, "rank 1: local error differ");
  assertThrows(() => requireSameState(state([1]), state([1], 2), "rank 1"), Error, "rank 1: shared rate differ");
  const other = { local: {}, shared: state([1]).shared };
  assertThrows(() => requireSameState(state([1]), other, "rank 1"), Error, "rank 1: local: the states have different");
});
