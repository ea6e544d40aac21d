/** In-place arithmetic on flat vectors, rounded to float32 where it is stored. @module */

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
