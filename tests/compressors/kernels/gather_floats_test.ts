import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { gatherFloats, scatterFloats } from "../../../compressors/kernels/gather_floats.ts";
import { choose, key } from "../../../random.ts";

Deno.test("what is gathered is scattered to its places", () => {
  fc.assert(fc.property(fc.float32Array({ maxLength: 30, noNaN: true }), fc.nat(5), fc.nat(), (x, at, seed) => {
    const count = x.length >>> 1, indices = choose(key(seed), count, x.length), bytes = new Uint8Array(at + 4 * count);
    assertEquals(gatherFloats(x, indices, count, bytes, at), at + 4 * count);
    const into = new Float32Array(x.length), most = scatterFloats(bytes, at, indices, count, 1, into);
    for (let i = 0; i < x.length; i++) assertEquals(into[i]! + 0, indices.includes(i) ? x[i]! + 0 : 0);
    assertEquals(most, Math.max(0, ...[...indices].map((i) => Math.abs(x[i]!))));
  }));
});

Deno.test("values are held within the limit, and NaN is told", () => {
  const bytes = new Uint8Array(8), indices = Uint32Array.of(0, 1), into = Float32Array.of(1, 1);
  gatherFloats(Float32Array.of(5, -7), indices, 2, bytes, 0, 3);
  assertEquals(scatterFloats(bytes, 0, indices, 2, 2, into), 3);
  assertEquals([...into], [7, -5]);
  gatherFloats(Float32Array.of(NaN, 1), indices, 2, bytes, 0);
  assert(Number.isNaN(scatterFloats(bytes, 0, indices, 2, 1, into)));
});
