import { assertEquals } from "@std/assert/mod.js";
import { none } from "../../../optimizers/mod.ts";

Deno.test("none leaves every rank its own gradient", () => {
  const method = none(), gradient = Float32Array.of(1, 2);
  const state = method.init({ names: [], shapes: [], size: 2 });
  assertEquals(method.reduce(gradient, state, undefined as never).next([]).done, true);
  assertEquals(gradient, Float32Array.of(1, 2));
});
