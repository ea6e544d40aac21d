import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  bucketed,
  compress,
  decompress,
  describe,
  identity,
  induced,
  isContractive,
  isUnbiased,
  randK,
  repeated,
  scaledSign,
  sparseDithering,
  topK,
} from "../../../compressors/mod.ts";
import { fold, key } from "../../../random.ts";
import { encodeHex, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

suite(bucketed(randK({ ratio: 0.5 }), 7), {
  draws: 700,
  error: (x) => {
    let error = 0;
    for (let from = 0; from < x.length; from += 7) {
      const part = x.subarray(from, from + 7);
      error += randK({ ratio: 0.5 }).omega(part.length) * squaredNorm(part);
    }
    return error;
  },
});
suite(bucketed(sparseDithering({ nu: 0.25 }), 16), { draws: 700 });
suite(bucketed(scaledSign(), 8), {
  draws: 700,
  // One number in each bucket: none is better than the bucket's 1 − 1/8.
  worst: (size) => size < 8 ? undefined : new Float32Array(size).map((_, i) => i % 8 === 0 && i + 8 <= size ? 1 : 0),
});
suite(bucketed(repeated(induced(topK({ k: 1 }), randK({ k: 1 })), 2), 5), { draws: 700, sizes: [0, 1, 5, 12, 100] });

Deno.test("bucketed: each bucket is compressed on its own, by its own key; the class stays", () => {
  const inner = randK({ k: 1 }), whole = bucketed(inner, 2), message = compress(whole, X, key(5));
  const parts = [0, 1].flatMap((i) => {
    const own = fold(key(5), i);
    return [...decompress(inner, compress(inner, X.subarray(2 * i, 2 * i + 2), own), own, 2)];
  });
  assertEquals([...decompress(whole, message, key(5), 4)], parts);
  assertEquals(whole.omega(1000), 1);
  assertEquals(bucketed(randK({ k: 5 }), 7).omega(22), Math.max(7 / 5 - 1, 0));
  assertEquals(bucketed(scaledSign(), 8).alpha(20), 1 - 1 / 8);
  assert(isUnbiased(bucketed(identity(), 8)) && isContractive(bucketed(identity(), 8)));
  assert(!isContractive(whole) && !isUnbiased(bucketed(scaledSign(), 8)));
});

Deno.test("bucketed: its text names its parts; a size below 1 is refused", () => {
  assertEquals(
    describe(bucketed(induced(topK({ k: 1 }), randK({ k: 2 })), 64)),
    "bucketed(induced(topK({ k: 1 }), randK({ k: 2 })), 64)",
  );
  assertThrows(() => bucketed(randK({ k: 1 }), 0), RangeError, "size is 0");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(bucketed(randK({ k: 1 }), 2), X), "00000000c0000080c0");
  assertEquals(encodeHex(bucketed(sparseDithering(), 2), X), "017f94c582a080c48c602005");
});
