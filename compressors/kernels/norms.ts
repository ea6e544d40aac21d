/** Sums over a vector, in doubles and in a fixed order: four lanes, then the rest. @module */

/** ‖x‖², the exact sum up to double rounding: float32 products cannot overflow a double. */
export function squaredNorm(vector: Float32Array): number {
  const even = vector.length & ~3;
  let a = 0, b = 0, c = 0, d = 0, i = 0;
  for (; i < even; i += 4) {
    const p = vector[i]!, q = vector[i + 1]!, r = vector[i + 2]!, s = vector[i + 3]!;
    a += p * p, b += q * q, c += r * r, d += s * s;
  }
  for (; i < vector.length; i++) a += vector[i]! * vector[i]!;
  return (a + b) + (c + d);
}

/** ‖x‖₁ of vector[from .. to). */
export function absoluteSum(vector: Float32Array, from = 0, to: number = vector.length): number {
  let a = 0, b = 0, c = 0, d = 0, i = from;
  for (const even = to - 3; i < even; i += 4) {
    a += Math.abs(vector[i]!), b += Math.abs(vector[i + 1]!);
    c += Math.abs(vector[i + 2]!), d += Math.abs(vector[i + 3]!);
  }
  for (; i < to; i++) a += Math.abs(vector[i]!);
  return (a + b) + (c + d);
}

/** ‖x‖∞ of vector[from .. to). */
export function largestMagnitude(vector: Float32Array, from = 0, to: number = vector.length): number {
  let most = 0;
  for (let i = from; i < to; i++) most = Math.max(most, Math.abs(vector[i]!));
  return most;
}
