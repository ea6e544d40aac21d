/** In-place arithmetic on flat vectors. Sums are float32 where they are stored, float64 where they are returned. @module */

/** into += x. */
export function add(into: Float32Array, x: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += x[i]!;
}

/** into −= x. */
export function subtract(into: Float32Array, x: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! -= x[i]!;
}

/** into += factor · x. */
export function addScaled(into: Float32Array, factor: number, x: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += factor * x[i]!;
}

/** into *= factor. */
export function scale(into: Float32Array, factor: number): void {
  for (let i = 0; i < into.length; i++) into[i]! *= factor;
}

/** ‖x‖². */
export function squaredNorm(x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!;
  return sum;
}

/** ‖x − y‖². */
export function squaredDistance(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2;
  return sum;
}
