import { assert, assertAlmostEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, sparseDithering } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { gaussian, X } from "../../tools/draws.ts";

Deno.test("bits: the paper's bounds, with the erratum, hold, and a gaussian vector takes what was measured", () => {
  const entropy = (t: number) => t <= 0 || t >= 1 ? 0 : -t * Math.log2(t) - (1 - t) * Math.log2(1 - t);
  const measured: Record<number, number> = { 0.1: 2.86, 0.25: 2.42, 1: 1.79, 4: 1.16 };
  for (const nu of [0.1, 0.25, 1, 4]) {
    const random = sparseDithering({ nu }), size = 1000;
    let bits = 0;
    for (let i = 0; i < 100; i++) {
      bits += 8 * compress(random, gaussian(size, i), key(1000 + i)).length / 100;
    }
    assert(bits <= (Math.log2(3) + 1 / (2 * Math.sqrt(nu))) * size + Math.log2(size) + 31);
    assertAlmostEquals(bits / size, measured[nu]!, 0.02 * measured[nu]!);
    if (nu >= 1) continue;
    const nearest = sparseDithering({ nu, rounding: "nearest" });
    for (let i = 0; i < 100; i++) {
      const x = gaussian(size, i), message = compress(nearest, x, key(i));
      const tau = decompress(nearest, message, key(i), size).filter((value) => value === 0).length / size;
      const bound = 30 + Math.log2(size) +
        (entropy(tau) + 1.5 * (1 - tau) + (1 - tau / 2) / (2 * Math.sqrt(nu))) * size;
      // 2 bits of the count-mask, 1 of the count rounded up, and the last byte.
      assert(8 * message.length <= bound + 1 + 2 + 1 + 7, `${8 * message.length} bits, bound ${bound}`);
    }
  }
});

Deno.test("messages that no encoder writes are refused", () => {
  const nearest = sparseDithering({ rounding: "nearest" }), message = compress(nearest, X, key(1));
  const decode = (bytes: Uint8Array, size: number) => () => decompress(nearest, bytes, key(1), size);
  assertThrows(decode(message.subarray(0, 3), 4), RangeError, "ends after 3 bytes");
  assertThrows(decode(Uint8Array.of(...message, 0), 4), RangeError, "7 bytes, expected 6");
  assertThrows(decode(Uint8Array.of(0xff, 0, 0, 0, 0), 4), RangeError, "its step is");
});
