import { assert, assertEquals } from "@std/assert/mod.js";
import { bytesOf, equalBytes } from "../bytes.ts";

Deno.test("bytesOf is a view of an array's own part of its memory", () => {
  const vector = Float32Array.of(1, 2, 3).subarray(1), bytes = bytesOf(vector);
  assertEquals([bytes.byteOffset, bytes.length], [4, 8]);
  bytes.fill(0);
  assertEquals([...vector], [0, 0]);
});

Deno.test("equalBytes compares length and content", () => {
  const a = Uint8Array.of(1, 2);
  assert(equalBytes(a, a.slice()) && equalBytes(new Uint8Array(0), new Uint8Array(0)));
  assert(!equalBytes(a, Uint8Array.of(1, 3)) && !equalBytes(a, Uint8Array.of(1)) && !equalBytes(Uint8Array.of(1), a));
});
