import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { Matrix, SVD } from "ml-matrix";
import { atomo, compress, decompress } from "../../../compressors/mod.ts";
import { waterLevel } from "../../../compressors/kernels/water_filling.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, meanError, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** Σ λ² (1/p − 1) over the singular values λ of the matrix, with optimal probabilities for `rank` terms. */
function exact(x: Float32Array, columns: number, rank: number): number {
  const rows = Math.ceil(x.length / columns), largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const matrix = new Matrix(rows, columns);
  x.forEach((value, i) => matrix.set(Math.floor(i / columns), i % columns, value / largest));
  const values = Float32Array.from(new SVD(matrix, { autoTranspose: true }).diagonal.map((value) => value * largest));
  const level = waterLevel(values, rank);
  return values.reduce((sum, value) => sum + Math.abs(value) * Math.max(0, level - Math.abs(value)), 0);
}

/** Twice the unit matrix: all singular values are equal. */
const unit = (size: number) => size === 16 ? new Float32Array(16).map((_, i) => i % 5 === 0 ? 2 : 0) : undefined;

suite(atomo({ rank: 2, columns: 4 }), {
  sizes: [4, 8, 16, 64],
  draws: 800,
  slack: 1e-5,
  error: (x) => squaredNorm(x) === 0 ? 0 : exact(x, 4, 2),
  worst: unit,
});
suite(atomo({ rank: 1 }), { draws: 500, sizes: [0, 1, 2, 3, 7, 20], slack: 1e-5 });

Deno.test("errors of diag(4, 3, 2, 1) as tabled, to 3 %", () => {
  const diagonal = new Float32Array(16).map((_, i) => i % 5 === 0 ? 4 - i / 5 : 0);
  for (const [rank, expected] of [[1, 70], [2, 20], [3, 4]] as const) {
    assertAlmostEquals(meanError(atomo({ rank, columns: 4 }), diagonal, 8000), expected, 0.03 * expected);
  }
});

Deno.test("a matrix of rank s is exact, whatever its shape, and nothing may be drawn", () => {
  const left = gaussian(6), right = gaussian(9, 2);
  for (const [u, v] of [[left, right], [right, left]] as const) {
    const x = Float32Array.from({ length: 54 }, (_, i) => u[Math.floor(i / v.length)]! * v[i % v.length]!);
    assert(meanError(atomo({ rank: 1, columns: v.length }), x, 3) < 1e-9 * squaredNorm(x));
  }
  const identity = Float32Array.from({ length: 100 }, (_, i) => i % 11 === 0 ? 1 : 0), lengths = new Set<number>();
  for (let i = 0; i < 40; i++) lengths.add(compress(atomo({ rank: 1, columns: 10 }), identity, key(i)).length);
  assert(lengths.has(0) && [...lengths].every((length) => length % 80 === 0));
});

Deno.test("terms that overflow and cancel are decoded to finite numbers", () => {
  const most = 3.4028234663852886e38;
  const terms = Float32Array.of(most, most, 1.0009, 1.0009, -most, -most, 1.0009, 1.0009);
  const decoded = decompress(atomo({ rank: 2, columns: 2 }), new Uint8Array(terms.buffer), key(1), 4);
  assertEquals(decoded.filter((value) => !Number.isFinite(value)).length, 0);
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => atomo({ rank: 0 }), RangeError, "rank is 0");
  assertThrows(() => decompress(atomo({ rank: 1 }), new Uint8Array(7), key(1), 4), RangeError, "7 bytes");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(atomo({ rank: 1 }), X), "c0f81640c0a3aa40e977133f254251bf");
});
