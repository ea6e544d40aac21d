import { assert, assertEquals } from "@std/assert/mod.js";
import { scratch } from "../../../compressors/kernels/scratch.ts";

Deno.test("memory is kept until a longer array is asked for", () => {
  const memory = scratch(Float32Array), first = memory(10);
  assertEquals([first.length, memory(4).length, memory(10).length], [10, 4, 10]);
  assert(memory(4).buffer === first.buffer && memory(11).buffer !== first.buffer);
  assert(scratch(Float32Array)(10).buffer !== memory(10).buffer, "two units share memory");
});
