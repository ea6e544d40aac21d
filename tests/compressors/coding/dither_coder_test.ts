import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { DitherCoder } from "../../../compressors/coding/dither_coder.ts";
import { ditherModel } from "../../../compressors/coding/dither_model.ts";
import { drawDither, UNIT } from "../../../compressors/kernels/dither_draws.ts";
import { RangeDecoder, RangeEncoder } from "../../../compressors/coding/range_coder.ts";
import { nearestPath, PathMemory, trellis } from "../../../compressors/coding/trellis.ts";
import { key, normal } from "../../../random.ts";

Deno.test("integers survive coding without models, and far outliers with them", () => {
  const size = 3000, draws = new Uint16Array(size + 1), words = new Uint32Array(size);
  drawDither(key(1), 0, draws, size, words);
  for (const states of [1, 8] as const) {
    for (const omega of [2, 0.5, 0.01, 1e-6]) {
      const code = trellis(states), coder = new DitherCoder(code, ditherModel(code, omega));
      const values = Float64Array.from(
        normal(key(2), new Float32Array(size)),
        (g, i) => (draws[i]! & 0x7fff) / UNIT + g * (i % 500 === 7 ? 1e5 : i > 2000 ? 40 : 0.1),
      );
      const integers = new Int32Array(size), out = new Float64Array(size);
      const end = nearestPath(code, 0, values, size, integers, new PathMemory(code));
      for (const raw of [false, true]) {
        const bytes = new Uint8Array(20 * size), encoder = new RangeEncoder(bytes);
        coder.reset(raw, 1e6);
        coder.encode(encoder, draws, integers, size);
        assertEquals(coder.state, end);
        coder.reset(raw, 1e6);
        coder.decode(new RangeDecoder(bytes.subarray(0, encoder.finish())), draws, 0, out, size);
        for (let i = 0; i < size; i++) assertEquals(out[i]! + (draws[i]! & 0x7fff) / UNIT, integers[i]);
        coder.reset(raw, 100);
        assertThrows(() => coder.decode(new RangeDecoder(bytes), draws, 0, out, size), RangeError);
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
