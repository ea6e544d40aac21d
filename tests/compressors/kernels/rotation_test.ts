import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { eachBlock, rotate, rotateBlock, unrotate, unrotateBlock } from "../../../compressors/kernels/rotation.ts";
import { key } from "../../../random.ts";
import { gaussian, oneHot, squaredDistance, squaredNorm } from "../tools/draws.ts";

Deno.test("rotations keep the norm, are undone, and spread a one-hot vector", () => {
  for (const size of [1, 2, 3, 5, 33, 64, 100, 1000, 20_000]) {
    for (
      const x of [
        gaussian(size),
        oneHot(size),
        Float32Array.from({ length: size }, (_, i) => i + 1 < size ? 0 : 1),
      ]
    ) {
      for (const rounds of [1, 2]) {
        const y = x.slice();
        rotate(y, key(3), rounds);
        assertAlmostEquals(squaredNorm(y) / squaredNorm(x), 1, 1e-5);
        if (squaredNorm(x) === 1) assert(Math.max(...y.map(Math.abs)) < 8 / Math.sqrt(size), `${size}`);
        unrotate(y, key(3), rounds);
        assert(squaredDistance(y, x) < 1e-11 * squaredNorm(x));
      }
      eachBlock(size, (from, length, padded) => {
        const y = new Float32Array(padded);
        y.set(x.subarray(from, from + length));
        rotateBlock(y, padded, key(4));
        unrotateBlock(y, padded, key(4));
        assert(squaredDistance(y.subarray(0, length), x.subarray(from, from + length)) < 1e-11 * squaredNorm(x));
      });
    }
  }
});

Deno.test("blocks cover the vector in order and pad little", () => {
  for (let size = 1; size < 30_000; size = Math.ceil(size * 1.1)) {
    let at = 0, bits = 0, blocks = 0;
    eachBlock(size, (from, length, padded, index) => {
      assertEquals([from, index], [at, blocks++]);
      assert(length > 0 && length <= padded && padded <= 8192 && (padded <= 32 || Number.isInteger(Math.log2(padded))));
      at += length, bits += padded;
    });
    assertEquals(at, size);
    assert(bits <= 4 / 3 * size, `${size}: ${bits}`);
  }
});
