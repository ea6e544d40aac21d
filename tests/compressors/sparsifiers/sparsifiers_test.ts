/** bernoulli, threshold, optimalSparsification, compose, signTopK. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { waterLevel } from "../../../compressors/kernels/water_filling.ts";
import {
  bernoulli,
  cast,
  compose,
  compress,
  type Compressor,
  decompress,
  describe,
  identity,
  isContractive,
  isUnbiased,
  naturalCompression,
  optimalSparsification,
  parseCompressor,
  qsgd,
  randK,
  scaledSign,
  signTopK,
  sparseDithering,
  threshold,
  topK,
} from "../../../compressors/mod.ts";
import { key, normal } from "../../../random.ts";
import { adversarialVector, compressorProperties, type CompressorPropertiesOptions } from "../../../testing/mod.ts";
import { meanError } from "../draws.ts";

const X = Float32Array.of(1, -2, 3, -4);
const squaredNorm = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value * value, 0);
const descending = (x: Float32Array) => [...x].map(Math.abs).sort((a, b) => b - a);
const ones = (size: number) => new Float32Array(size).fill(1);

/** Σ x² (1/p − 1) with p from a sort: the water-filling of the definition. */
function optimalVariance(x: Float32Array, k: number): number {
  const sorted = descending(x);
  let certain = 0;
  const rest = () => sorted.slice(certain).reduceRight((sum, value) => sum + value, 0);
  while (certain < k && sorted[certain]! * (k - certain) > rest()) certain++;
  const level = certain < k ? rest() / (k - certain) : 0;
  return sorted.slice(certain).reduce((sum, value) => sum + value * Math.max(0, level - value), 0);
}

const signTopKError = (k: number) => (x: Float32Array) => {
  const kept = descending(x).slice(0, k), sum = kept.reduce((total, value) => total + value, 0);
  return kept.length === 0 ? 0 : squaredNorm(x) - sum * sum / kept.length;
};

/** Vectors that are 0 but for one number, where nothing is lost, or all of it is. */
const hot = (size: number) => Float32Array.from({ length: size }, (_, i) => i === 0 ? 1 : 0);

const table: [Compressor, CompressorPropertiesOptions][] = [
  ...[1, 4, 30].map((k): [Compressor, CompressorPropertiesOptions] => [optimalSparsification({ k }), {
    error: (x) => optimalVariance(x, Math.min(k, x.length)),
    worst: ones,
  }]),
  [optimalSparsification({ ratio: 0.3 }), {}],
  [bernoulli({ p: 0.5 }), { error: squaredNorm, worst: ones }],
  [bernoulli({ p: 0.03 }), { error: (x) => squaredNorm(x) * (1 / 0.03 - 1) }],
  [bernoulli({ p: 0.25, whole: true }), { error: (x) => 3 * squaredNorm(x) }],
  [threshold({ tau: 0.8 }), { kinds: ["gaussian", "allEqual", "ramp", "ties", "huge"] }],
  [threshold({ relative: 0.7 }), {
    lattice: (values, x) => values.every((value, i) => value === 0 || value === x[i]),
    // All but the first just below: they carry c² (d − 1) / d of the square.
    worst: (size) => size < 60 ? undefined : hot(size).map((one) => one === 1 ? Math.sqrt(size / 0.485 - size + 1) : 1),
  }],
  [threshold({ tau: 0.8, values: "tau" }), {
    lattice: (values) => values.every((value) => value === 0 || Math.abs(value) === Math.fround(0.8)),
  }],
  [signTopK({ k: 3 }), { error: signTopKError(3), worst: (size) => size > 9 ? ones(size) : hot(size) }],
  [signTopK({ ratio: 0.5 }), {}],
  [compose(sparseDithering({ nu: 0.25 }), topK({ k: 5 })), {}],
  [compose(qsgd({ levels: 2 }), topK({ ratio: 0.3 })), {}],
  [compose(sparseDithering({ nu: 0.1, rounding: "nearest" }), topK({ ratio: 0.5 })), {}],
  [compose(naturalCompression(), randK({ k: 4 })), {}],
  [compose(identity(), randK({ k: 4 })), {
    error: (x) => randK({ k: 4 }).omega(x.length) * squaredNorm(x),
    worst: ones,
  }],
];
for (const [compressor, options] of table) {
  for (const { name, check } of compressorProperties(compressor, { draws: 1000, ...options })) {
    // A number kept with probability 0.03, of which 61 at 1000 draws is 30.
    Deno.test(name, check);
  }
}

Deno.test("errors of (1, −2, 3, −4) as tabled, to 3 %", () => {
  for (const [k, expected] of [[1, 70], [2, 20], [3, 4]] as const) {
    assertAlmostEquals(optimalVariance(X, k), expected, 1e-9);
    assertAlmostEquals(meanError(optimalSparsification({ k }), X, 20000), expected, 0.03 * expected);
  }
  assertAlmostEquals(optimalVariance(Float32Array.of(10, 1, 1, 1), 2), 6, 1e-9);
  assertAlmostEquals(meanError(optimalSparsification({ k: 2 }), Float32Array.of(10, 1, 1, 1), 20000), 6, 0.18);
  assertAlmostEquals(meanError(bernoulli({ p: 0.5 }), X, 2000), 30, 1e-9);
  assertAlmostEquals(meanError(signTopK({ k: 2 }), X, 1), 30 - 49 / 2, 1e-9);
});

Deno.test("optimal probabilities: .2 .4 .6 .8 for k = 2, and k numbers are kept in the mean", () => {
  const compressor = optimalSparsification({ k: 2 }), kept = [0, 0, 0, 0];
  for (let i = 0; i < 20000; i++) {
    decompress(compressor, compress(compressor, X, key(i)), key(i), 4).forEach((value, j) => {
      if (value !== 0) kept[j]!++;
      assert(value === 0 || value === 5 * Math.sign(X[j]!));
    });
  }
  kept.forEach((count, j) => assertAlmostEquals(count / 20000, 0.2 * (j + 1), 0.02));
});

Deno.test("the water level solves Σ min(1, |x| / t) = budget, over 60 decades too", () => {
  const vectors = fc.oneof(
    fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 60 }),
    fc.nat(1e6).map((seed) => adversarialVector("dynamic", 40, seed)),
    fc.tuple(fc.constantFrom("lognormal", "dynamic", "ties", "allEqual"), fc.nat(1e6)).map(([kind, seed]) =>
      adversarialVector(kind, 1500, seed) // by histogram
    ),
    fc.nat(40).map((size) => Float32Array.from({ length: size + 1 }, (_, i) => 2 ** (i - 20))),
    fc.nat(40).map((size) => new Float32Array(size + 1).fill(3)),
  );
  fc.assert(
    fc.property(vectors, fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 1400 })), (x, budget) => {
      const level = waterLevel(x, budget), nonzero = x.filter((value) => value !== 0).length;
      if (nonzero <= budget) return assertEquals(level, 0);
      assertAlmostEquals(
        descending(x).reduceRight((sum, value) => sum + Math.min(1, value / level), 0) / budget,
        1,
        1e-9,
      );
    }),
    { numRuns: 600, seed: 1 },
  );
});

Deno.test("the water level of numbers that are not finite ends the search too", () => {
  for (const size of [9, 1500]) {
    for (const value of [Infinity, NaN]) waterLevel(new Float32Array(size).fill(1).fill(value, 2, 4), 3);
  }
});

Deno.test("compose: the mean is what topK keeps, divided by 1 + ω; the error is what it drops and Q's", () => {
  const quantizer = sparseDithering({ nu: 1 }), composed = compose(quantizer, topK({ k: 2 })), draws = 20000;
  const mean = new Float64Array(4);
  for (let i = 0; i < draws; i++) {
    const values = decompress(composed, compress(composed, X, key(i)), key(i), 4);
    values.forEach((value, j) => mean[j]! += value * (1 + quantizer.omega(2)) / draws);
  }
  [0, 0, 3, -4].forEach((value, j) => assertAlmostEquals(mean[j]!, value, 0.1));
  const unscaled = compose(sparseDithering({ nu: 0.25, rounding: "nearest" }), topK({ k: 2 }));
  const part = Float32Array.of(3, -4), nearest = sparseDithering({ nu: 0.25, rounding: "nearest" });
  assertAlmostEquals(meanError(unscaled, X, 1), 5 + meanError(nearest, part, 1), 1e-5);
});

Deno.test("compose: classes, constants and what it refuses", () => {
  const unbiased = compose(qsgd({ levels: 2 }), randK({ k: 4 }));
  assert(isUnbiased(unbiased) && !isContractive(unbiased));
  assertAlmostEquals(unbiased.omega(20), (1 + qsgd({ levels: 2 }).omega(4)) * 5 - 1);
  assertAlmostEquals(compose(scaledSign(), topK({ k: 4 })).alpha(20), 1 - 1 / 20);
  assertAlmostEquals(compose(randK({ k: 2 }), topK({ k: 4 })).alpha(20), 1 - 0.2 / 2);
  const loose = compose as unknown as (a: Compressor, b: Compressor) => Compressor;
  assertThrows(() => loose(scaledSign(), randK({ k: 2 })), TypeError, "expected an unbiased compressor as the first");
  assertThrows(() => loose(scaledSign(), scaledSign()), TypeError, "expected topK or randK as the second");
});

Deno.test("texts and options", () => {
  for (const [compressor] of table) assertEquals(describe(parseCompressor(describe(compressor))), describe(compressor));
  assertEquals(describe(signTopK({ k: 2 })), "signTopK({ k: 2 })");
  assertThrows(() => bernoulli({ p: 0 }), RangeError, "p is 0");
  assertThrows(() => bernoulli({ p: 1.1 }), RangeError, "p is 1.1");
  assertThrows(() => threshold({ tau: 0 }), RangeError, "tau is 0");
  assertThrows(() => threshold({ tau: 1, relative: 1 } as { tau: number }), RangeError, "expected one");
  assertThrows(() => threshold({ relative: 1, values: "tau" } as never), RangeError, 'values is "tau"');
});

Deno.test("threshold: the largest is kept where all are below, nothing of zeros", () => {
  const decoded = (x: Float32Array) => {
    const c = threshold({ tau: 9 });
    return [...decompress(c, compress(c, x, key(1)), key(1), x.length)];
  };
  assertEquals(decoded(X), [0, 0, 0, -4]);
  assertEquals(decoded(new Float32Array(2)), [0, 0]);
  const c = threshold({ tau: 9, values: "tau" });
  assertEquals([...decompress(c, compress(c, X, key(1)), key(1), 4)], [0, 0, 0, 0]);
});

Deno.test("bytes: bernoulli's are 4 for each kept, sparsifiers' near their entropy", () => {
  const x = normal(key(1), new Float32Array(10000));
  const bits = (compressor: Compressor) => 8 * compress(compressor, x, key(2)).length;
  assertAlmostEquals(bits(bernoulli({ p: 0.1 })) / 32, 1000, 150);
  // 1000 of 10000: 4690 bits of indices, and a sign each; few are certain.
  assert(bits(optimalSparsification({ ratio: 0.1 })) < 6000);
  assertEquals(bits(compose(cast({ format: "bf16", rounding: "random" }), randK({ k: 80 }))) >> 7, 10);
});

Deno.test("golden messages", () => {
  const golden = (compressor: Compressor) => compress(compressor, X, key(1)).toHex();
  assertEquals(golden(optimalSparsification({ k: 3 })), "000040402c34000080c0");
  assertEquals(golden(bernoulli({ p: 0.5 })), "0000803f000000c000004040");
  assertEquals(golden(threshold({ tau: 2.5 })), "4000004040000080c0");
  assertEquals(golden(threshold({ tau: 2.5, values: "tau" })), "4080");
  assertEquals(golden(signTopK({ k: 2 })), "000000604040");
  assertEquals(golden(compose(identity(), randK({ k: 1 }))), "0000803f");
});
