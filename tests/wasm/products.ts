/** Cases for tests of matrix products, and what they must come to. @module */

import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { key, normal } from "../../random.ts";
import { tf } from "./stock.ts";

/** A product of two tensors of these shapes. */
export interface Case {
  readonly a: number[];
  readonly b: number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Sizes around the kernel's tiles (4 × 8) and panels (384 deep), and leading axes that broadcast. */
export const cases: fc.Arbitrary<Case> = fc.record({
  m: fc.integer({ min: 0, max: 21 }),
  k: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 21 }) }, fc.constantFrom(383, 384, 385, 770)),
  n: fc.integer({ min: 0, max: 35 }),
  batch: fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[], []],
    [[3], [3]],
    [[3], [1]],
    [[1], [2]],
    [[3], []],
    [[], [2, 2]],
    [[2, 1], [1, 3]],
    [[2, 3], [2, 1]],
    [[2, 3], [3]],
    [[3], [2, 1]],
    [[0], [0]],
  ),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
}).map(({ m, k, n, batch: [batchA, batchB], transposeA, transposeB }) => ({
  a: [...batchA, ...(transposeA ? [k, m] : [m, k])],
  b: [...batchB, ...(transposeB ? [n, k] : [k, n])],
  transposeA,
  transposeB,
}));

/** How many numbers a tensor of this shape has. */
export const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
/** Normal numbers for a tensor of this shape. */
export const values = (shape: readonly number[], seed: number) => normal(key(seed), new Float32Array(size(shape)));
/** How many terms each number of a product sums. */
export const depth = ({ a, transposeA }: Case) => a.at(transposeA ? -2 : -1)!;

/** The product by its definition, in double precision, broadcast like numpy, and the sum of the sizes of its terms. */
export function definition({ a, b, transposeA, transposeB }: Case, x: Float32Array, y: Float32Array) {
  const [m, k] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const n = transposeB ? b.at(-2)! : b.at(-1)!;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.slice(0, -2), b.slice(0, -2));
  const out = new Float64Array(size(batch) * m * n), bound = new Float64Array(out.length);
  const matrix = (shape: readonly number[], index: number) => {
    let at = 0, step = 1;
    for (let axis = batch.length - 1, own = shape.length - 3; axis >= 0; axis--, own--) {
      const i = index % batch[axis]!;
      index = Math.floor(index / batch[axis]!);
      if (own >= 0) {
        if (shape[own] !== 1) at += i * step;
        step *= shape[own]!;
      }
    }
    return at;
  };
  for (let g = 0; g < size(batch); g++) {
    const from = matrix(a, g) * m * k, and = matrix(b, g) * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let p = 0; p < k; p++) {
          const term = x[from + (transposeA ? p * m + i : i * k + p)]! * y[and + (transposeB ? j * k + p : p * n + j)]!;
          out[(g * m + i) * n + j]! += term;
          bound[(g * m + i) * n + j]! += Math.abs(term);
        }
      }
    }
  }
  return { out, bound, shape: [...batch, m, n] };
}

/** The error of a float32 sum of k products is at most k · 2⁻²⁴ of the sum of their sizes; twice that for two sums. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: ArrayLike<number>,
  k: number,
) {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const allowed = 2 ** -23 * (k + 4) * (bound[i]! + 1e-30);
    assert(
      Math.abs(actual[i]! - expected[i]!) <= allowed,
      `number ${i} is ${actual[i]}, expected ${expected[i]} ± ${allowed}`,
    );
  }
}
