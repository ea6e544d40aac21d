import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { withoutMathRandom } from "../../testing/property.ts";

Deno.test("withoutMathRandom: Math.random throws meanwhile and is as before afterwards, whether the check holds or not", () => {
  const own = Math.random;
  withoutMathRandom(() => assertThrows(Math.random, Error, "Math.random was called"));
  assertEquals(Math.random, own);
  assertThrows(() => withoutMathRandom(() => void Math.random()), Error, "Math.random was called");
  assertEquals(Math.random, own);
  assertThrows(() => withoutMathRandom(() => void (Math.random = () => 0)), Error, "Math.random was replaced");
  assertEquals(Math.random, own);
});
