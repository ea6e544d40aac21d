import { assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  compress,
  decompress,
  identity,
  isContractive,
  isUnbiased,
  type Layout,
  perTensor,
  scaledSign,
  sparseDithering,
  topK,
} from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { compressorProperties } from "../../../testing/mod.ts";
import { gaussian, oneHot } from "../tools/draws.ts";

const layout: Layout = {
  names: ["a/kernel", "a/bias", "b/kernel"],
  shapes: [[40, 30], [30], [3, 2]],
  size: 1236,
};
for (
  const compressor of [
    perTensor(layout, sparseDithering({ nu: 0.25 })),
    perTensor(layout, ({ size }) => size < 10 ? identity() : topK({ ratio: 0.1 })),
  ]
) {
  for (const { name, check } of compressorProperties(compressor, { sizes: [1236], draws: 100 })) Deno.test(name, check);
}

Deno.test("perTensor: small tensors and biases are left alone by default", () => {
  const compressor = perTensor(layout, scaledSign()), x = gaussian(1236);
  const decoded = decompress(compressor, compress(compressor, x, key(1)), key(1), 1236);
  assertEquals(decoded.subarray(1200), x.subarray(1200));
  assertEquals(new Set(decoded.subarray(0, 1200).map(Math.abs)).size, 1);
  assertEquals(compressor.maxByteLength(1236), 4 + 150 + 4 * 36 + 3);
});

Deno.test("perTensor: α is the largest of the tensors' and reached where all is in that tensor", () => {
  const compressor = perTensor(layout, scaledSign()), x = new Float32Array(1236);
  assertEquals(compressor.alpha(1236), 1 - 1 / 1200);
  x.set(oneHot(1200));
  const decoded = decompress(compressor, compress(compressor, x, key(1)), key(1), 1236);
  const error = decoded.reduce((sum, value, i) => sum + (value - x[i]!) ** 2, 0);
  assertEquals(Math.abs(error - compressor.alpha(1236)) < 1e-6, true);
});

Deno.test("perTensor: it is unbiased or contractive only where all tensors' compressors are", () => {
  const mixed = perTensor(layout, ({ size }) => size < 10 ? sparseDithering() : topK({ ratio: 0.1 }));
  assertEquals([isUnbiased(mixed), isContractive(mixed)], [false, false]);
});

Deno.test("perTensor: the function is given each tensor's name, shape and size", () => {
  const seen: string[] = [];
  perTensor(layout, ({ name, shape, size }) => (seen.push(`${name} [${shape}] ${size}`), identity()));
  assertEquals(seen, ["a/kernel [40,30] 1200", "a/bias [30] 30", "b/kernel [3,2] 6"]);
});

Deno.test("perTensor: vectors of another length, and layouts that do not add up, are refused", () => {
  const compressor = perTensor(layout, scaledSign());
  assertThrows(() => compressor.alpha(7), RangeError, "7 numbers, expected 1236");
  assertThrows(() => decompress(compressor, new Uint8Array(9), key(1), 9), RangeError, "9 numbers, expected 1236");
  assertThrows(() => perTensor({ ...layout, size: 9 }, identity()), RangeError, "add up to 1236");
});
