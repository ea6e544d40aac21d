import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  bucketed,
  compress,
  type Compressor,
  contractive,
  decompress,
  describe,
  identity,
  induced,
  isContractive,
  isUnbiased,
  type Layout,
  naturalCompression,
  parseCompressor,
  perTensor,
  randK,
  repeated,
  scaledSign,
  sparseDithering,
  topK,
} from "../../../compressors/mod.ts";
import { Frames } from "../../../compressors/coding/frames.ts";
import { fold, key, normal } from "../../../random.ts";
import { compressorProperties, type CompressorPropertiesOptions } from "../../../testing/mod.ts";

const X = Float32Array.of(1, -2, 3, -4);
const squaredNorm = (x: Float32Array) => x.reduce((sum, value) => sum + value * value, 0);
/** The sum of the squares of all but the k largest. */
const dropped = (x: Float32Array, k: number) =>
  [...x].map((value) => value * value).sort((a, b) => b - a).slice(k).reduce((sum, square) => sum + square, 0);
const ones = (size: number) => new Float32Array(size).fill(1);

const table: [Compressor, CompressorPropertiesOptions][] = [
  [bucketed(randK({ ratio: 0.5 }), 7), {
    error: (x) => {
      let error = 0;
      for (let from = 0; from < x.length; from += 7) {
        const part = x.subarray(from, from + 7);
        error += randK({ ratio: 0.5 }).omega(part.length) * squaredNorm(part);
      }
      return error;
    },
  }],
  [bucketed(sparseDithering({ nu: 0.25 }), 16), {}],
  [bucketed(scaledSign(), 8), {}],
  [repeated(randK({ k: 2 }), 3), { error: (x) => randK({ k: 2 }).omega(x.length) / 3 * squaredNorm(x), worst: ones }],
  [repeated(sparseDithering({ nu: 1 }), 2), {}],
  [induced(topK({ k: 2 }), randK({ k: 4 })), {
    error: (x) => dropped(x, 2) * randK({ k: 4 }).omega(x.length),
    worst: ones,
  }],
  [induced(sparseDithering({ nu: 0.25, rounding: "nearest" }), naturalCompression()), {}],
  [contractive(sparseDithering({ nu: 0.5 })), {}],
  [contractive(induced(contractive(randK({ k: 2 })), sparseDithering({ nu: 1 }))), {}],
  [bucketed(repeated(induced(topK({ k: 1 }), randK({ k: 1 })), 2), 5), { sizes: [0, 1, 5, 12, 100] }],
];
for (const [compressor, options] of table) {
  for (const { name, check } of compressorProperties(compressor, { draws: 700, ...options })) Deno.test(name, check);
}

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

Deno.test("a combinator's text is the call that makes it", () => {
  for (const [compressor] of table) {
    const text = describe(compressor), copy = parseCompressor(text), x = normal(key(1), new Float32Array(50));
    assertEquals(describe(copy), text);
    assertEquals(compress(copy, x, key(2)), compress(compressor, x, key(2)));
  }
  assertEquals(
    describe(bucketed(induced(topK({ k: 1 }), randK({ k: 2 })), 64)),
    "bucketed(induced(topK({ k: 1 }), randK({ k: 2 })), 64)",
  );
});

Deno.test("bucketed: each bucket is compressed on its own, by its own key; the class stays", () => {
  const inner = randK({ k: 1 }), whole = bucketed(inner, 2), message = compress(whole, X, key(5));
  const parts = [0, 1].flatMap((
    i,
  ) => [...decompress(inner, compress(inner, X.subarray(2 * i, 2 * i + 2), fold(key(5), i)), fold(key(5), i), 2)]);
  assertEquals([...decompress(whole, message, key(5), 4)], parts);
  assertEquals(whole.omega(1000), 1);
  assertEquals(bucketed(randK({ k: 5 }), 7).omega(22), Math.max(7 / 5 - 1, 0));
  assertEquals(bucketed(scaledSign(), 8).alpha(20), 1 - 1 / 8);
  assert(isUnbiased(bucketed(identity(), 8)) && isContractive(bucketed(identity(), 8)));
  assert(!isContractive(whole) && !isUnbiased(bucketed(scaledSign(), 8)));
  assertThrows(() => bucketed(inner, 0), RangeError, "size is 0");
});

Deno.test("induced, repeated: constants and bytes", () => {
  assertEquals(induced(topK({ k: 5 }), randK({ k: 5 })).omega(10), 0.5);
  assertEquals(repeated(randK({ k: 1 }), 4).omega(9), 2);
  const x = normal(key(1), new Float32Array(64));
  const bytes = (compressor: Compressor) => compress(compressor, x, key(1)).length;
  assertEquals(bytes(repeated(randK({ k: 4 }), 3)), 3 * 16 + 1);
  assert(bytes(induced(topK({ k: 4 }), randK({ k: 4 }))) <= bytes(topK({ k: 4 })) + 16 + 2);
});

Deno.test("perTensor: small tensors and biases are left alone by default", () => {
  const compressor = perTensor(layout, scaledSign()), x = normal(key(1), new Float32Array(1236));
  const decoded = decompress(compressor, compress(compressor, x, key(1)), key(1), 1236);
  assertEquals(decoded.subarray(1200), x.subarray(1200));
  assertEquals(new Set(decoded.subarray(0, 1200).map(Math.abs)).size, 1);
  assertEquals(compressor.maxByteLength(1236), 4 + 150 + 4 * 36 + 3);
  assertEquals(compressor.alpha(1236), 1 - 1 / 1200);
  const seen: string[] = [];
  perTensor(layout, ({ name, shape, size }) => (seen.push(`${name} [${shape}] ${size}`), identity()));
  assertEquals(seen, ["a/kernel [40,30] 1200", "a/bias [30] 30", "b/kernel [3,2] 6"]);
  assertThrows(() => compressor.alpha(7), RangeError, "7 numbers, expected 1236");
  assertThrows(() => decompress(compressor, new Uint8Array(9), key(1), 9), RangeError, "9 numbers, expected 1236");
  assertThrows(() => perTensor({ ...layout, size: 9 }, identity()), RangeError, "add up to 1236");
});

Deno.test("frames: lengths are sent only where they differ, a byte each up to 127 missing", () => {
  const frames = new Frames("test"), lengths = [3, 0, 200, 5], message = new Uint8Array(1000);
  const write = (most: number, count = 4) =>
    frames.encode(message, count, () => most, (i, part) => (part.fill(i, 0, lengths[i]!), lengths[i]!));
  const end = write(200);
  assertEquals(end, 1 + 208 + 2 + 2 + 1);
  const read: number[] = [];
  frames.decode(message.subarray(0, end), 4, () => 200, (i, part) => {
    assert(part.every((byte) => byte === i));
    read.push(part.length);
  });
  assertEquals(read, lengths);
  assertEquals(message.subarray(209, end).toHex(), "0001c80145".replace("45", "c5"));
  assertEquals(write(200, 1), 3);
  assertEquals(write(200, 0), 0);
  for (let length = 0; length < end; length++) {
    try {
      frames.decode(message.subarray(0, length), 4, () => 200, () => {});
    } catch (error) {
      assert(error instanceof RangeError, String(error));
    }
  }
});

Deno.test("golden messages", () => {
  const golden = (compressor: Compressor) => compress(compressor, X, key(1)).toHex();
  assertEquals(golden(bucketed(randK({ k: 1 }), 2)), "00000000c0000080c0");
  assertEquals(golden(repeated(randK({ k: 1 }), 2)), "0000004040000080c0");
  assertEquals(golden(induced(topK({ k: 1 }), randK({ k: 1 }))), "00000080c00000000000");
  assertEquals(golden(bucketed(sparseDithering(), 2)), "017f94c582a080c48c602005");
});
