import { assert, assertEquals, assertStrictEquals } from "@std/assert/mod.js";
import { workspace } from "../../../optimizers/mod.ts";

Deno.test("a slot is one memory, which grows to the longest that was asked for; slots and types do not meet", () => {
  const memory = workspace(), long = memory.floats("a", 8).fill(1), short = memory.floats("a", 3);
  assertStrictEquals(short.buffer, long.buffer);
  assertEquals([short.length, [...short]], [3, [1, 1, 1]]);
  assertStrictEquals(memory.floats("a", 8), long);
  assert(memory.floats("a", 9).buffer !== long.buffer);
  const others = [memory.floats("b", 8), memory.doubles("a", 8), memory.bytes("a", 8)];
  assertEquals(new Set([long, ...others].map(({ buffer }) => buffer)).size, 4);
  assertEquals(others.map(({ constructor }) => constructor.name), ["Float32Array", "Float64Array", "Uint8Array"]);
});
