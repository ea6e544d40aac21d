import { assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { addSigns, packSigns, signedSums } from "../../../compressors/kernels/signs.ts";

const vectors = fc.float32Array({ maxLength: 40, noNaN: true, min: -1000, max: 1000 });

Deno.test("signs are packed, most significant bit first, and added as two values", () => {
  fc.assert(fc.property(vectors, fc.nat(3), (x, at) => {
    const bytes = new Uint8Array(at + 6).fill(255), end = packSigns(x, bytes, at), into = new Float32Array(x.length);
    assertEquals(end, at + Math.ceil(x.length / 8));
    addSigns(bytes, at, 2, -3, into);
    assertEquals([...into], [...x].map((v) => v < 0 ? -3 : 2));
    if (x.length % 8 > 0) assertEquals(bytes[end - 1]! & (255 >>> x.length % 8), 0);
  }));
  const bytes = new Uint8Array(1);
  packSigns(Float32Array.of(-1, 0, -0, 1, -(2 ** -149)), bytes, 0);
  assertEquals(bytes[0], 0b10001000);
});

Deno.test("signedSums adds each sign by itself", () => {
  fc.assert(fc.property(vectors, (x) => {
    const { positive, negative, negatives } = signedSums(x), below = x.filter((v) => v < 0);
    assertEquals(negatives, below.length);
    assertAlmostEquals(negative, below.reduce((sum, v) => sum + v, 0), 1e-9);
    assertAlmostEquals(positive, x.filter((v) => v >= 0).reduce((sum, v) => sum + v, 0), 1e-9);
  }));
});
