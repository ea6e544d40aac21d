import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, isLinear, randK } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

for (const options of [{ k: 1 }, { k: 5 }, { ratio: 0.3 }, { k: 3, shared: true }]) {
  const compressor = randK(options), kept = (size: number) => size / (1 + compressor.omega(size));
  suite(compressor, {
    error: (x) => compressor.omega(x.length) * squaredNorm(x),
    worst: ones,
    lattice: (values, x) =>
      values.every((value, i) => value === 0 || Math.abs(value * kept(x.length) / x.length / x[i]! - 1) < 1e-6),
  });
}

Deno.test("every subset of (1, −2, 3, −4) is drawn, its numbers doubled: mean error 30, in every draw of two", () => {
  const seen = new Set<string>();
  let sum = 0;
  for (let i = 0; i < 600; i++) {
    const values = decompress(randK({ k: 2 }), compress(randK({ k: 2 }), X, key(i)), key(i), 4);
    seen.add(values.map((value) => value === 0 ? 0 : 1).join(""));
    assert(values.every((value, j) => value === 0 || value === 2 * X[j]!));
    sum += values.reduce((total, value, j) => total + (value - X[j]!) ** 2, 0) / 600;
  }
  assertEquals(seen.size, 6);
  assertEquals(Math.abs(sum - 30) < 1e-9, true); // every draw errs by 30: (2x − x)² or x²
});

Deno.test("shared: messages of one key add up to the message of the sum", () => {
  const linear = randK({ k: 2, shared: true }), y = Float32Array.of(5, 6, 7, 8);
  assert(isLinear(linear) && !isLinear(randK({ k: 2 })));
  const floats = (x: Float32Array) => new Float32Array(compress(linear, x, key(3)).slice().buffer);
  assertEquals(linear.linearLength(4), 2);
  assertEquals(floats(X).map((value, i) => value + floats(y)[i]!), floats(X.map((value, i) => value + y[i]!)));
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(randK({ k: 2 }), X), "0000803f000000c0");
});

Deno.test("options and messages out of range are refused, numbers near the largest clamped", () => {
  assertThrows(() => randK({ k: 0 }), RangeError, "k is 0, expected an integer ≥ 1");
  assertThrows(() => randK({ k: 1, shared: 1 as unknown as true }), TypeError, "shared is 1");
  assertThrows(() => decompress(randK({ k: 1 }), new Uint8Array(3), key(1), 4), RangeError, "3 bytes, expected 4");
  const huge = new Uint8Array(Float32Array.of(3e38).buffer);
  assertThrows(() => decompress(randK({ k: 1 }), huge, key(1), 4), RangeError, "expected a finite number");
  const most = Float32Array.of(3e38, 3e38), message = compress(randK({ k: 1 }), most, key(1));
  assert(decompress(randK({ k: 1 }), message, key(1), 2).some((value) => value > 3.4e38));
});
