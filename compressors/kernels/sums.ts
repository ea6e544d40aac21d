/** Sums over a vector, in doubles, and its extremes. @module */

import { floatOf } from "./float32.ts";

/**
 * Σ x², by four running sums that take turns. Messages depend on this order of the additions: a SIMD kernel can keep to it.
 */
export function sumOfSquares(vector: Float32Array): number {
  const size = vector.length, whole = size & ~3;
  let a = 0, b = 0, c = 0, d = 0;
  for (let i = 0; i < whole; i += 4) {
    const p = vector[i]!, q = vector[i + 1]!, r = vector[i + 2]!, s = vector[i + 3]!;
    a += p * p, b += q * q, c += r * r, d += s * s;
  }
  for (let i = whole; i < size; i++) a += vector[i]! * vector[i]!;
  return (a + b) + (c + d);
}

/** ‖x‖², added one by one. Methods whose results depend on this order use it, and not {@linkcode sumOfSquares}. */
export function squaredNorm(x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum;
}

/** ‖x − y‖², added one by one. */
export function squaredDistance(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return sum;
}

/** The largest magnitude; 0 for no numbers. */
export function largest(vector: Float32Array): number {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length);
  // Without its sign bit the word of a float grows with its magnitude.
  let most = 0;
  for (let i = 0; i < words.length; i++) {
    const magnitude = words[i]! & 0x7fffffff;
    if (magnitude > most) most = magnitude;
  }
  return floatOf(most);
}

/** The least and the largest number; zeros for no numbers. */
export function extremes(vector: Float32Array): { least: number; most: number } {
  if (vector.length === 0) return { least: 0, most: 0 };
  let least = Infinity, most = -Infinity;
  for (let i = 0; i < vector.length; i++) {
    const x = vector[i]!;
    least = Math.min(least, x);
    most = Math.max(most, x);
  }
  return { least, most };
}

/** Σ |x| of the numbers from index `from` to before `to`, by four running sums that take turns. */
export function sumOfMagnitudes(vector: Float32Array, from = 0, to: number = vector.length): number {
  const whole = from + ((to - from) & ~3);
  let a = 0, b = 0, c = 0, d = 0;
  for (let i = from; i < whole; i += 4) {
    a += Math.abs(vector[i]!), b += Math.abs(vector[i + 1]!);
    c += Math.abs(vector[i + 2]!), d += Math.abs(vector[i + 3]!);
  }
  for (let i = whole; i < to; i++) a += Math.abs(vector[i]!);
  return (a + b) + (c + d);
}
