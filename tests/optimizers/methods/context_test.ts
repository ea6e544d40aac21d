import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { keysOfStep } from "../../../optimizers/methods/keys.ts";
import { context, workspace } from "../../../optimizers/mod.ts";

const given = { rank: 1, size: 3, layout: { names: ["w"], shapes: [[2]], size: 2 }, workspace: workspace() };

Deno.test("a context has what it is given and the keys of its step, and makes those of others", () => {
  const { keyOf, shared, keysAt, ...rest } = context({ seed: 5, step: 9, learningRate: .1, ...given });
  assertEquals(rest, { step: 9, learningRate: .1, ...given });
  assertEquals([shared, keyOf(2)], [keysOfStep(5, 9).shared, keysOfStep(5, 9).keyOf(2)]);
  assertEquals([keysAt(4).shared, keysAt(4).keyOf(0)], [keysOfStep(5, 4).shared, keysOfStep(5, 4).keyOf(0)]);
});

Deno.test("a seed that is no safe integer is refused", () => {
  assertThrows(() => context({ seed: -1, step: 0, ...given }), RangeError, "seed is -1");
});
