/** What the compressor tests share: statistics over many draws, adversarial vectors, messages as text. */

import { assert } from "@std/assert/mod.js";
import { compress, decompress } from "../../../compressors/compress.ts";
import type { Compressor } from "../../../compressors/compressor.ts";
import { fold, key, normal } from "../../../random.ts";

/** The vector of the table of exact values in the tests: squared norm 30. */
export const X = Float32Array.of(1, -2, 3, -4);

export const squaredNorm = (x: ArrayLike<number>) => Array.from(x).reduce((sum, v) => sum + v * v, 0);
/** ‖a − b‖². */
export const squaredDistance = (a: Float32Array, b: Float32Array) => squaredNorm(a.map((v, i) => v - b[i]!));

export const encodeHex = (c: Compressor, x: Float32Array, seed = 1) => compress(c, x, key(seed)).toHex();

export interface Draws {
  /** Mean of ‖C(x) − x‖². */
  readonly error: number;
  /** Largest ‖C(x) − x‖². */
  readonly worst: number;
  /** ‖mean of C(x) − x‖². */
  readonly biasSquared: number;
  /** Largest |mean of C(x)ᵢ − xᵢ| in standard errors (plus Bernstein's term for rare events). */
  readonly deviation: number;
}

/** Compresses x under `count` keys. */
export function draws(c: Compressor, x: Float32Array, count: number, seed = 5): Draws {
  const sum = new Float64Array(x.length), squares = new Float64Array(x.length), base = key(seed);
  const buffer = new Uint8Array(c.maxByteLength(x.length)), y = new Float32Array(x.length);
  let error = 0, worst = 0, largest = 0;
  for (let r = 0; r < count; r++) {
    const k = fold(base, r);
    y.fill(0);
    c.decodeAdd(compress(c, x, k, buffer), k, 1, y);
    let distance = 0;
    for (let i = 0; i < x.length; i++) {
      const e = y[i]! - x[i]!;
      sum[i]! += e, squares[i]! += e * e, distance += e * e, largest = Math.max(largest, Math.abs(e));
    }
    error += distance, worst = Math.max(worst, distance);
  }
  let biasSquared = 0, deviation = 0;
  for (let i = 0; i < x.length; i++) {
    const mean = sum[i]! / count, variance = Math.max(0, squares[i]! / count - mean * mean);
    biasSquared += mean * mean;
    // Rounding to float32 leaves up to 2⁻²⁴ of the value in every draw.
    const excess = Math.max(0, Math.abs(mean) - 2 ** -23 * Math.abs(x[i]!) - 2 ** -149);
    // Bernstein's second term: a coordinate that is hit once in many draws has no variance in most samples.
    deviation = Math.max(deviation, excess / (Math.sqrt(variance / count) + 5 * largest / count + 1e-300));
  }
  return { error: error / count, worst, biasSquared, deviation };
}

/**
 * Whether `draws` shows an unbiased mean: every coordinate within 7 standard errors, which a sound compressor misses
 * about once in 4e11 per coordinate (for means of bounded draws; the seeds are fixed, so never here).
 */
export function assertUnbiased(c: Compressor, x: Float32Array, count: number): Draws {
  const result = draws(c, x, count);
  assert(result.deviation < 7, `${c.name}: a mean is ${result.deviation} standard errors off`);
  return result;
}

export const oneHot = (size: number) => Float32Array.from({ length: size }, (_, i) => i === size >> 1 ? 1 : 0);
export const twoHot = (size: number) => Float32Array.from({ length: size }, (_, i) => i === 0 ? 3 : i === 1 ? 1 : 0);
export const gaussian = (size: number, seed = 1) => normal(key(seed), new Float32Array(size));
export const ones = (size: number) => new Float32Array(size).fill(1);
export const ramp = (size: number) => Float32Array.from({ length: size }, (_, i) => i + 1);

/** Vectors that are hard for one operator or another. */
export function adversarial(size: number): Float32Array[] {
  const lognormal = gaussian(size, 2).map((z) => Math.exp(2 * z) * Math.sign(z));
  return [
    gaussian(size),
    lognormal,
    new Float32Array(size).fill(-3),
    oneHot(size),
    twoHot(size),
    Float32Array.from({ length: size }, (_, i) => i % 2 ? -1 : 1),
    ramp(size),
    gaussian(size).map((z) => 1e30 * z),
    gaussian(size).map((z) => 1e-30 * z),
    Float32Array.from({ length: size }, (_, i) => i === 0 ? 1 : i === 1 ? -1 : -0),
  ];
}

/** decode(encode(x)) for one key. */
export function once(c: Compressor, x: Float32Array, seed = 1): Float32Array {
  return decompress(c, compress(c, x, key(seed)), key(seed), x.length);
}

/** The mean of ‖C(x) − x‖² over `count` keys. */
export const meanError = (c: Compressor, x: Float32Array, count: number): number => draws(c, x, count, 9).error;
