import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, topK } from "../../../compressors/mod.ts";
import { choose, fold, key } from "../../../random.ts";
import { adversarialVector } from "../../../testing/mod.ts";
import { gaussian, once, ones, squaredDistance, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

for (const count of [{ k: 1 }, { k: 3 }, { ratio: 0.2 }, { ratio: 1 }]) {
  suite(topK(count), {
    lattice: (values, x) => values.every((value, i) => value === 0 || value === x[i]),
    error: (x) => {
      const k = "k" in count ? count.k : Math.max(1, Math.floor(count.ratio * x.length));
      const squares = [...x].map((value) => value * value).sort((a, b) => a - b);
      return squares.slice(0, Math.max(0, x.length - k)).reduce((a, b) => a + b, 0);
    },
    worst: ones,
  });
}

Deno.test("errors of (1, −2, 3, −4) as tabled: 14, 5, 1", () => {
  for (const [k, error] of [[1, 14], [2, 5], [3, 1], [4, 0]] as const) {
    assertEquals(squaredDistance(once(topK({ k }), X), X), error);
  }
});

Deno.test("ties go to the lowest index, also on all-negative vectors", () => {
  assertEquals([...once(topK({ k: 2 }), Float32Array.of(-5, -5, -5, -5))], [-5, -5, 0, 0]);
  assertEquals([...once(topK({ k: 2 }), adversarialVector("allNegative", 3).fill(-1))], [-1, -1, 0]);
});

Deno.test("bits: at most 1 % of the entropy above 32 k + log₂ C(d, k)", () => {
  for (const [size, k] of [[1000, 10], [100000, 1000], [14, 3]] as const) {
    const x = gaussian(size, 3);
    let entropy = 0;
    for (let i = 0; i < k; i++) entropy += Math.log2((size - i) / (i + 1));
    const bytes = compress(topK({ k }), x, key(1)).length;
    assert(bytes <= Math.ceil((32 * k + 1.01 * entropy + 3) / 8), `${bytes} bytes for ${k} of ${size}`);
  }
});

Deno.test("golden messages", () => {
  assertEquals(compress(topK({ k: 2 }), X, key(1)).toHex(), "00004040000080c000");
  const sparse = new Float32Array(70000);
  for (const at of choose(fold(key(1), 2), 3, sparse.length)) sparse[at] = 1;
  assertEquals(compress(topK({ k: 3 }), sparse, key(1)).toHex(), "0000803f0000803f0000803f4f1e51069527");
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => topK({ k: 0 }), RangeError, "k is 0, expected an integer ≥ 1");
  assertThrows(() => topK({ ratio: 1.5 }), RangeError, "ratio is 1.5, expected a number > 0");
  assertThrows(() => topK({} as { k: number }), TypeError, "expected one of the two");
  const message = compress(topK({ k: 2 }), X, key(1)), nan = message.slice().fill(255, 0, 4);
  assertThrows(() => decompress(topK({ k: 2 }), nan, key(1), 4), RangeError, "a value is NaN");
  assertThrows(() => decompress(topK({ k: 2 }), message.subarray(0, 7), key(1), 4), RangeError, "has 7 bytes");
  assertThrows(
    () => decompress(topK({ k: 2 }), Uint8Array.of(...message, 0), key(1), 4),
    RangeError,
    "10 bytes, expected 9",
  );
  assertAlmostEquals(topK({ ratio: 0.1 }).alpha(55), 1 - 5 / 55);
});
