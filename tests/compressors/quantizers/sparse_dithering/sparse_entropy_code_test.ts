import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, sparseDithering } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { adversarialVector } from "../../../../testing/mod.ts";
import { encodeHex, gaussian, squaredDistance, squaredNorm, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

for (
  const options of [
    { nu: 0.1, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion: 1, scale: "log" },
    { nu: 0.5, rounding: "nearest", coding: "entropy", rateDistortion: 2 },
    { nu: 1e-7, rounding: "nearest", coding: "entropy", rateDistortion: 1 },
    { nu: 0.25, coding: "entropy", scale: "log" },
    { nu: 4, coding: "entropy" },
    { nu: 0.1, rounding: "nearest", scale: "log" },
  ] as const
) suite(sparseDithering(options), { draws: 1000, sizes: [0, 1, 2, 3, 7, 13, 127, 1000] });

Deno.test("sparseDithering: joint rounding stays within 0.1 bits of ½ log₂(1/error) for errors .05 to .5", () => {
  const size = 2 ** 18, x = gaussian(size), norm2 = squaredNorm(x);
  const seen: number[] = [];
  for (const [nu, rateDistortion] of [[0.18, 1], [0.35, 1], [0.7, 1], [0.99, 1], [0.99, 2], [0.99, 3]] as const) {
    const compressor = sparseDithering({ nu, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion });
    const message = compress(compressor, x, key(2)), y = decompress(compressor, message, key(2), size);
    const error = squaredDistance(y, x) / norm2;
    const excess = 8 * message.length / size - 0.5 * Math.log2(1 / error);
    assert(excess <= 0.1, `${excess} bits above at error ${error}`);
    seen.push(error);
  }
  assert(seen[0]! < 0.05 && seen.at(-1)! > 0.5, `errors ${seen}`);
});

Deno.test("sparseDithering: coding changes the bytes, not the numbers; a log scale a little; centroids lessen the error", () => {
  const size = 5000;
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
      const error = squaredDistance(paper, x),
        coarse = squaredDistance(through({ coding: "entropy", scale: "log" }), x);
      assertEquals(through({ scale: "log" }), through({ coding: "entropy", scale: "log" }));
      assert(coarse < 1.05 * error && coarse > 0.5 * error, `${coarse}, in float32 ${error}`);
      if (rounding === "nearest") {
        const less = squaredDistance(through({ coding: "entropy", centroids: true }), x);
        assert(less <= error * (1 + 1e-6), `${less}, at the levels ${error}: ${kind}`);
      }
    }
  }
});

Deno.test("sparseDithering: entropy code, golden bytes", () => {
  const hex = (options: Parameters<typeof sparseDithering>[0]) => encodeHex(sparseDithering(options), X, 7);
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
  const message = compress(compressor, gaussian(size, 3), key(7));
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
});
