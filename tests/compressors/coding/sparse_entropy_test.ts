import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, parseCompressor, sparseDithering } from "../../../compressors/mod.ts";
import { RangeDecoder, RangeEncoder } from "../../../compressors/coding/entropy.ts";
import { DitherCoder, ditherModel } from "../../../compressors/coding/dither_coder.ts";
import { nearestPath, PathMemory, trellis } from "../../../compressors/coding/trellis.ts";
import { key, normal } from "../../../random.ts";
import { adversarialVector, compressorProperties } from "../../../testing/mod.ts";

const sizes = [0, 1, 2, 3, 7, 13, 127, 1000];
for (
  const options of [
    { nu: 0.1, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion: 1, scale: "log" },
    { nu: 0.5, rounding: "nearest", coding: "entropy", rateDistortion: 2 },
    { nu: 1e-7, rounding: "nearest", coding: "entropy", rateDistortion: 1 },
    { nu: 0.25, coding: "entropy", scale: "log" },
    { nu: 4, coding: "entropy" },
    { nu: 0.1, rounding: "nearest", scale: "log" },
  ] as const
) {
  for (const { name, check } of compressorProperties(sparseDithering(options), { draws: 1000, sizes })) {
    Deno.test(name, check);
  }
}

Deno.test("sparseDithering: joint rounding stays within 0.1 bits of ½ log₂(1/error) for errors .05 to .5", () => {
  const size = 2 ** 18, x = normal(key(1), new Float32Array(size)), norm2 = x.reduce((sum, v) => sum + v * v, 0);
  const seen: number[] = [];
  for (const [nu, rateDistortion] of [[0.18, 1], [0.35, 1], [0.7, 1], [0.99, 1], [0.99, 2], [0.99, 3]] as const) {
    const compressor = sparseDithering({ nu, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion });
    const message = compress(compressor, x, key(2)), y = decompress(compressor, message, key(2), size);
    const error = x.reduce((sum, v, i) => sum + (y[i]! - v) ** 2, 0) / norm2;
    const excess = 8 * message.length / size - 0.5 * Math.log2(1 / error);
    assert(excess <= 0.1, `${excess} bits above at error ${error}`);
    seen.push(error);
  }
  assert(seen[0]! < 0.05 && seen.at(-1)! > 0.5, `errors ${seen}`);
});

Deno.test("sparseDithering: coding changes the bytes, not the numbers; a log scale a little; centroids lessen the error", () => {
  const size = 5000, squared = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0);
  for (const kind of ["gaussian", "lognormal", "heavySparse", "ramp"]) {
    const x = adversarialVector(kind, size), length = new Map<string, number>();
    for (const rounding of ["random", "nearest"] as const) {
      const through = (options: Parameters<typeof sparseDithering>[0]) => {
        const compressor = sparseDithering({ nu: 0.2, rounding, ...options }),
          message = compress(compressor, x, key(2));
        length.set(JSON.stringify(options), message.length);
        return decompress(compressor, message, key(2), size);
      };
      const paper = through({});
      assertEquals(through({ coding: "entropy" }), paper);
      const [before, after] = [length.get("{}")!, length.get('{"coding":"entropy"}')!];
      // Of these kinds few are not 0, of levels far beyond the models' alphabet, in no order that contexts could use.
      const few = kind === "lognormal" || kind === "heavySparse";
      assert(after < (few ? 1.25 : 1) * before, `${after} bytes, paper ${before}: ${kind}`);
      const error = squared(paper, x), coarse = squared(through({ coding: "entropy", scale: "log" }), x);
      assertEquals(through({ scale: "log" }), through({ coding: "entropy", scale: "log" }));
      assert(coarse < 1.05 * error && coarse > 0.5 * error, `${coarse}, in float32 ${error}`);
      if (rounding === "nearest") {
        const less = squared(through({ coding: "entropy", centroids: true }), x);
        assert(less <= error * (1 + 1e-6), `${less}, at the levels ${error}: ${kind}`);
      }
    }
  }
});

Deno.test("choose: weight 0 is the nearest path, and more weight costs least at that weight", () => {
  const code = trellis(8), memory = new PathMemory(code), count = 8000, still = new Uint16Array(count);
  const values = Float64Array.from(normal(key(1), new Float32Array(count)), (v) => 1.5 * v);
  const weights = [0, 0.1, 0.3, 0.6, 1],
    measured = weights.map((weight) => {
      const coder = new DitherCoder(code, ditherModel(code, 0.44 * code.limit, false)),
        integers = new Int32Array(count);
      coder.reset(false, 1000);
      const end = coder.choose(values, count, weight, integers, memory), bytes = new Uint8Array(count);
      const encoder = new RangeEncoder(bytes);
      coder.encode(encoder, still, integers, count);
      assertEquals(coder.state, end);
      return { bits: 8 * encoder.finish(), error: values.reduce((sum, v, i) => sum + (v - integers[i]!) ** 2, 0) };
    });
  const nearest = new Int32Array(count);
  nearestPath(code, 0, values, count, nearest, memory);
  const least = values.reduce((sum, v, i) => sum + (v - nearest[i]!) ** 2, 0);
  assert(Math.abs(measured[0]!.error - least) < 1e-9);
  for (const [i, weight] of weights.entries()) {
    const costs = measured.map(({ error, bits }) => error + weight * bits);
    // Prices are those of models before they learn from this block: not the last hundredth.
    assert(costs[i]! <= 1.005 * Math.min(...costs), `weight ${weight}: ${costs}`);
  }
});

Deno.test("sparseDithering: entropy code, golden bytes", () => {
  const x = Float32Array.of(1, -2, 3, -4),
    hex = (options: Parameters<typeof sparseDithering>[0]) => compress(sparseDithering(options), x, key(7)).toHex();
  assertEquals(hex({ nu: 0.1, rounding: "nearest", coding: "entropy" }), "d7b3dd3f4815");
  assertEquals(
    hex({ nu: 0.1, rounding: "nearest", coding: "entropy", scale: "log", centroids: true, rateDistortion: 1 }),
    "b780d5ab6b65f0",
  );
  assertEquals(hex({ nu: 0.1, rounding: "nearest", scale: "log" }), "b70a58");
  assertEquals(hex({ nu: 0.25, coding: "entropy", scale: "log" }), "ba51");
});

Deno.test("sparseDithering: a wrong final state and options out of place are refused", () => {
  const compressor = sparseDithering({ nu: 0.3, rounding: "nearest", coding: "entropy", rateDistortion: 1 }),
    size = 300;
  const message = compress(compressor, normal(key(3), new Float32Array(size)), key(7));
  let refused = 0;
  for (let i = 0; i < 100; i++) {
    const flipped = message.slice();
    flipped[5 + i % (message.length - 5)]! ^= 1 << i % 8;
    try {
      decompress(compressor, flipped, key(7), size);
    } catch (error) {
      assert(error instanceof RangeError);
      refused++;
    }
  }
  assert(refused > 70, `${refused} of 100 damaged messages were refused`);
  assertThrows(() => sparseDithering({ coding: "huffman" as "paper" }), TypeError, 'coding is "huffman"');
  assertThrows(() => sparseDithering({ scale: "int8" as "log" }), TypeError, 'scale is "int8"');
  assertThrows(() => sparseDithering({ coding: "entropy", centroids: true }), RangeError, "not entropy and random");
  assertThrows(() => sparseDithering({ rounding: "nearest", rateDistortion: 1 }), RangeError, "not paper and nearest");
  assertThrows(() => sparseDithering({ rateDistortion: -1 }), RangeError, "rateDistortion is -1");
  const text = 'sparseDithering({ nu: 0.3, rounding: "nearest", coding: "entropy", rateDistortion: 1 })';
  assertEquals(parseCompressor(text).options, compressor.options);
});

Deno.test("coding without models is the same", () => {
  const code = trellis(8), coder = new DitherCoder(code, ditherModel(code, 0.5 * code.limit, false)), count = 200;
  const values = Float64Array.from(normal(key(1), new Float32Array(count)), (v) => 3 * v),
    still = new Uint16Array(count);
  const integers = new Int32Array(count), out = new Float64Array(count);
  coder.reset(false, 1000);
  coder.choose(values, count, 0.3, integers, new PathMemory(code));
  for (const raw of [false, true]) {
    const bytes = new Uint8Array(1000), encoder = new RangeEncoder(bytes);
    coder.reset(raw, 1000);
    coder.encode(encoder, still, integers, count);
    coder.reset(raw, 1000);
    coder.decode(new RangeDecoder(bytes.subarray(0, encoder.finish())), still, 0, out, count);
    assertEquals([...out], [...integers]);
  }
});
