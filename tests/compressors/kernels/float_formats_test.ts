import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { castNearest, castRandom, type FloatFormat, valuesOf } from "../../../compressors/kernels/float_formats.ts";
import { bits, key } from "../../../random.ts";

const half: FloatFormat = { mantissa: 10, bias: 15, width: 16, largest: 65504 };
const e4m3: FloatFormat = { mantissa: 3, bias: 7, width: 8, largest: 448 };
const numbers = fc.float32Array({ noNaN: true, min: -448, max: 448, maxLength: 20 });

Deno.test("codes stand for the numbers of IEEE 754", () => {
  const values = valuesOf(half), view = new DataView(new ArrayBuffer(2));
  for (let code = 0; code < 2 ** 16; code++) {
    view.setUint16(0, code);
    const value = view.getFloat16(0);
    assertEquals(values[code], Number.isNaN(value) ? (code < 2 ** 15 ? Infinity : -Infinity) : value);
  }
  assertEquals([0x38, 0x7e, 1, 0xff].map((code) => valuesOf(e4m3)[code]), [1, 448, 2 ** -9, -Infinity]);
});

Deno.test("a nearest cast takes the nearest number, ties to even", () => {
  const values = valuesOf(e4m3), halfValues = valuesOf(half), finite = [...values].filter(Number.isFinite);
  fc.assert(
    fc.property(numbers, (x) => {
      const codes = new Uint32Array(x.length), halves = codes.slice();
      castNearest(x, 0, 1, e4m3, codes), castNearest(x, 0, 1, half, halves);
      x.forEach((v, i) => {
        assert(finite.every((other) => Math.abs(v - values[codes[i]!]!) <= Math.abs(v - other)));
        assertEquals(halfValues[halves[i]!], Math.f16round(v));
      });
    }),
    { numRuns: 30 },
  );
  const codes = new Uint32Array(4);
  castNearest(Float32Array.of(0, 1.0625, 1.1875, -(2 ** -10)), 0, 1, e4m3, codes);
  assertEquals([...codes].map((code) => values[code]! + 0), [0, 1, 1.25, 0]);
});

Deno.test("a random cast takes one of the two numbers around, with the number as the mean", () => {
  const x = Float32Array.of(1.03, -3.3, 448, 0.001, 0), draws = 20000, values = valuesOf(e4m3);
  const codes = new Uint32Array(5), mean = new Float64Array(5);
  for (let i = 0; i < draws; i++) {
    bits(key(i), codes);
    castRandom(x, 0, 1, e4m3, codes);
    codes.forEach((code, j) => mean[j]! += values[code]! / draws);
  }
  // Five deviations of at most half a step, which is 2⁻³ of the power of two below, or 2⁻⁹.
  [0.125, 0.25, 0, 2 ** -9, 0].forEach((step, j) =>
    assertAlmostEquals(mean[j]!, x[j]!, 2.5 * step / Math.sqrt(draws) + 1e-9)
  );
});
