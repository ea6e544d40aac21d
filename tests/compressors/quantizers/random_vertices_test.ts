/** randomizedMean, crossPolytope, atomo: unbiased operators whose atoms are not single numbers. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { Matrix, SVD } from "ml-matrix";
import { waterLevel } from "../../../compressors/kernels/water_filling.ts";
import {
  atomo,
  compress,
  type Compressor,
  crossPolytope,
  decompress,
  describe,
  optimalSparsification,
  parseCompressor,
  randomizedMean,
} from "../../../compressors/mod.ts";
import { key, normal } from "../../../random.ts";
import { compressorProperties, type CompressorPropertiesOptions } from "../../../testing/mod.ts";
import { meanError } from "../draws.ts";

const X = Float32Array.of(1, -2, 3, -4);
const squaredNorm = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value * value, 0);
const norm1 = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + Math.abs(value), 0);
const ones = (size: number) => new Float32Array(size).fill(1);
const signs = (size: number) =>
  size % 2 === 1 ? undefined : Float32Array.from({ length: size }, (_, i) => i % 2 === 1 ? 1 : -1);

/** Σ λ² (1/p − 1) of optimal probabilities. */
function keptError(values: Float32Array, k: number): number {
  const level = waterLevel(values, k);
  return values.reduce((sum, value) => sum + Math.abs(value) * Math.max(0, level - Math.abs(value)), 0);
}

function singularValues(x: Float32Array, columns: number): Float32Array {
  const rows = Math.ceil(x.length / columns), largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const matrix = new Matrix(rows, columns);
  x.forEach((value, i) => matrix.set(Math.floor(i / columns), i % columns, value / largest));
  return Float32Array.from(new SVD(matrix, { autoTranspose: true }).diagonal.map((value) => value * largest));
}

/** Orthogonal rows: all singular values equal. */
const orthogonal = (size: number) =>
  size === 16 ? Float32Array.from({ length: 16 }, (_, i) => i % 5 === 0 ? 2 : 0) : undefined;

const centred = (x: Float32Array) => {
  const mean = x.reduce((sum, value) => sum + value, 0) / Math.max(1, x.length);
  return [...x].map((value) => value - mean);
};

const table: [Compressor, CompressorPropertiesOptions][] = [
  [randomizedMean({ k: 3, probabilities: "uniform" }), {
    error: (x) => Math.max(0, x.length / 3 - 1) * squaredNorm(centred(x)),
    worst: signs,
  }],
  [randomizedMean({ k: 3, centre: "zero" }), { error: (x) => keptError(x, 3), worst: ones }],
  [randomizedMean({ ratio: 0.4 }), { worst: signs }],
  [crossPolytope({ draws: 1 }), {
    error: (x) => norm1(x) ** 2 - squaredNorm(x),
    worst: ones,
  }],
  [crossPolytope({ draws: 7 }), { error: (x) => (norm1(x) ** 2 - squaredNorm(x)) / 7, worst: ones }],
  [crossPolytope({ draws: 3, norm: "l2" }), {
    error: (x) => (x.length - 1) / 3 * squaredNorm(x),
    worst: ones,
  }],
  [atomo({ rank: 2, columns: 4 }), {
    sizes: [4, 8, 16, 64],
    draws: 800,
    slack: 1e-5,
    error: (x) => squaredNorm(x) === 0 ? 0 : keptError(singularValues(x, 4), 2),
    worst: orthogonal,
  }],
  [atomo({ rank: 1 }), { draws: 500, sizes: [0, 1, 2, 3, 7, 20], slack: 1e-5 }],
];
for (const [compressor, options] of table) {
  for (const { name, check } of compressorProperties(compressor, { draws: 1000, ...options })) Deno.test(name, check);
}

Deno.test("errors of (1, −2, 3, −4) as tabled, to 3 %", () => {
  const rows: [Compressor, number][] = [
    [randomizedMean({ k: 2, probabilities: "uniform", centre: "zero" }), 30],
    [randomizedMean({ k: 2, probabilities: "uniform" }), 29],
    [crossPolytope({ draws: 1, norm: "l2" }), 90],
    [crossPolytope({ draws: 1 }), 70],
  ];
  for (const [compressor, expected] of rows) {
    assertAlmostEquals(meanError(compressor, X, 10000), expected, 0.03 * expected, describe(compressor));
  }
  const diagonal = Float32Array.from({ length: 16 }, (_, i) => i % 5 === 0 ? 4 - i / 5 : 0); // diag(4, 3, 2, 1)
  for (const [rank, expected] of [[1, 70], [2, 20], [3, 4]] as const) {
    assertAlmostEquals(meanError(atomo({ rank, columns: 4 }), diagonal, 8000), expected, 0.03 * expected);
  }
});

Deno.test("randomizedMean: a common part costs nothing, and the best centre beats the mean and zero", () => {
  const x = normal(key(4), new Float32Array(200)).map((z) => 10 + Math.exp(z)), k = 20;
  const errors = [
    randomizedMean({ k }),
    randomizedMean({ k, probabilities: "uniform" }),
    optimalSparsification({ k }),
  ].map((compressor) => meanError(compressor, x, 400));
  assert(errors[0]! < 0.6 * errors[1]! && errors[1]! < 0.1 * errors[2]!, errors.join());
  assertEquals(meanError(randomizedMean({ k: 1 }), new Float32Array(9).fill(-3), 3), 0);
});

Deno.test("atomo: a matrix of rank s is exact, whatever its shape, and nothing may be drawn", () => {
  const left = normal(key(1), new Float32Array(6)), right = normal(key(2), new Float32Array(9));
  for (const [u, v] of [[left, right], [right, left]] as const) {
    const x = Float32Array.from({ length: 54 }, (_, i) => u[Math.floor(i / v.length)]! * v[i % v.length]!);
    assert(meanError(atomo({ rank: 1, columns: v.length }), x, 3) < 1e-9 * squaredNorm(x));
  }
  const identity = Float32Array.from({ length: 100 }, (_, i) => i % 11 === 0 ? 1 : 0), lengths = new Set<number>();
  for (let i = 0; i < 40; i++) lengths.add(compress(atomo({ rank: 1, columns: 10 }), identity, key(i)).length);
  assert(lengths.has(0) && [...lengths].every((length) => length % 80 === 0));
});

Deno.test("crossPolytope: bits of a multiset", () => {
  const x = normal(key(1), new Float32Array(1000));
  assertEquals(compress(crossPolytope({ draws: 1 }), x, key(1)).length, 4 + 2);
  // 100 of 2000 with repetition: log₂ C(2099, 100) = 577.6; as a list 100 · 11.
  assert(8 * compress(crossPolytope({ draws: 100 }), x, key(1)).length <= 32 + 582 + 7);
});

Deno.test("texts, options and messages", () => {
  for (const [compressor] of table) assertEquals(describe(parseCompressor(describe(compressor))), describe(compressor));
  assertThrows(() => crossPolytope({ draws: 0 }), RangeError, "draws is 0");
  assertThrows(() => crossPolytope({ draws: 1, norm: "max" as "l1" }), TypeError, "norm is");
  assertThrows(() => randomizedMean({ k: 1, centre: "mean" as "zero" }), TypeError, "centre is");
  assertThrows(() => atomo({ rank: 0 }), RangeError, "rank is 0");
  assertThrows(() => decompress(atomo({ rank: 1 }), new Uint8Array(7), key(1), 4), RangeError, "7 bytes");
});

Deno.test("golden messages", () => {
  const golden = (compressor: Compressor) => compress(compressor, X, key(1)).toHex();
  assertEquals(golden(randomizedMean({ k: 2 })), "000000bf0000a0400960");
  assertEquals(golden(randomizedMean({ k: 1, probabilities: "uniform" })), "000000bf0000c03f");
  assertEquals(golden(crossPolytope({ draws: 3 })), "000020411f00");
  assertEquals(golden(crossPolytope({ draws: 3, norm: "l2" })), "6f452f412f00");
  assertEquals(golden(atomo({ rank: 1 })), "c0f81640c0a3aa40e977133f254251bf");
});
