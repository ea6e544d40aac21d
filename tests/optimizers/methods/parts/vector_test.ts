import { assertEquals } from "@std/assert/mod.js";
import { add, addScaled, scale, subtract } from "../../../../optimizers/methods/parts/vector.ts";

Deno.test("vectors are added, subtracted and scaled in place, rounded to float32", () => {
  const x = Float32Array.of(1, -2, .5), y = Float32Array.of(2 ** -24, 1, .5);
  add(x, y);
  assertEquals(x, Float32Array.of(1, -1, 1));
  subtract(x, y);
  assertEquals(x, Float32Array.of(1 - 2 ** -24, -2, .5));
  addScaled(x, -2, y);
  assertEquals(x, Float32Array.of(1 - 2 ** -24 - 2 ** -23, -4, -.5));
  scale(x, 3);
  assertEquals(x, Float32Array.of(3 * (1 - 2 ** -24 - 2 ** -23), -12, -1.5));
});
