/** The bits of a float32 and the ends of its range. @module */

/** The largest finite float32: (2 − 2⁻²³) · 2¹²⁷. */
export const MAX_FLOAT32 = 3.4028234663852886e38;
// Loops read it faster than an export.
const LARGEST = MAX_FLOAT32;

const float = new Float32Array(1), word = new Uint32Array(float.buffer);
const double = new Float64Array(1), halves = new Uint32Array(double.buffer);

/** The bits of a number that is rounded to float32, as an unsigned integer. */
export function wordOf(value: number): number {
  float[0] = value;
  return word[0]!;
}

/** The float32 with these bits. */
export function floatOf(bits: number): number {
  word[0] = bits;
  return float[0]!;
}

/** The number nearest to `value` from −MAX_FLOAT32 to MAX_FLOAT32. */
export function clampFloat32(value: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, value));
}

/** Takes each number of the vector into the range of finite float32. */
export function clampVector(vector: Float32Array): void {
  for (let i = 0; i < vector.length; i++) vector[i] = clampFloat32(vector[i]!);
}

/** into += scale · (factor · data, taken into the range of finite float32), for as many numbers as `into` has. */
export function addClamped(data: Float32Array, factor: number, scale: number, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += scale * clampFloat32(factor * data[i]!);
}

/** The largest finite float32 that is at most `value` ≥ 0. */
export function floorFloat32(value: number): number {
  float[0] = Math.min(value, MAX_FLOAT32);
  if (float[0]! > value) word[0]!--;
  return float[0]!;
}

/** ⌊log₂ value⌋ for a value from 2⁻¹⁰²² on, thus for every positive float32; 0 for 0. */
export function exponentOf(value: number): number {
  double[0] = value;
  return value === 0 ? 0 : (halves[1]! >>> 20) - 1023;
}

/** The largest power of two that is at most `value`, for a value from 2⁻¹⁰²² on; 1 for 0. */
export function powerOfTwo(value: number): number {
  if (value === 0) return 1;
  double[0] = value;
  // The exponent alone stays.
  halves[0] = 0, halves[1]! &= 0x7ff00000;
  return double[0]!;
}
