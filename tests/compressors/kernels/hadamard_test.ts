import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { hadamard } from "../../../compressors/kernels/hadamard.ts";
import { gaussian, squaredDistance } from "../tools/draws.ts";

Deno.test("hadamard equals its definition, and its inverse, below and above the block length", () => {
  for (const size of [1, 2, 4, 8, 32, 512, 8192, 32768]) {
    const x = gaussian(size + 6), y = x.slice();
    hadamard(y, 3, size);
    for (let i = 0; i < size; i += Math.ceil(size / 50)) {
      let sum = 0;
      for (let j = 0; j < size; j++) {
        let parity = i & j;
        for (let s = 16; s > 0; s >>= 1) parity ^= parity >> s;
        sum += parity & 1 ? -x[3 + j]! : x[3 + j]!;
      }
      assertAlmostEquals(y[3 + i]!, sum, 2e-6 * Math.sqrt(size) * Math.log2(2 * size));
    }
    assertEquals([...y.subarray(0, 3), ...y.subarray(size + 3)], [...x.subarray(0, 3), ...x.subarray(size + 3)]);
    hadamard(y, 3, size);
    assert(squaredDistance(y.subarray(3, 3 + size).map((v) => v / size), x.subarray(3, 3 + size)) < 1e-11 * size);
  }
});
