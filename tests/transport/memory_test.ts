import { assertThrows } from "@std/assert/mod.js";
import { transportProperties } from "../../testing/mod.ts";
import { memory } from "../../transport/mod.ts";

for (const { name, check } of transportProperties(memory)) Deno.test(`memory: ${name}`, check);

Deno.test("memory refuses a group of nobody", () => {
  for (const size of [0, -1, 1.5, NaN]) {
    assertThrows(() => memory(size), RangeError, `size is ${size}, expected an integer from 1`);
  }
});
