/** Unbiased rounding to equally spaced levels. @module */

/**
 * codes[i] := ⌊offset + rate · vector[from + i] + u⌋ clamped to 0..top, where u is the random word that codes[i] held,
 * over 2³². The mean of the code is offset + rate · x, to 2⁻³², as long as that lies in 0..top (top ≤ 2²⁰).
 */
export function dither(
  vector: Float32Array,
  from: number,
  rate: number,
  offset: number,
  top: number,
  codes: Uint32Array,
): void {
  for (let i = 0; i < codes.length; i++) {
    const code = (offset + rate * vector[from + i]! + codes[i]! * 2 ** -32) | 0;
    codes[i] = code < 0 ? 0 : code > top ? top : code;
  }
}

/** into[from + i] += origin + step · codes[i]. */
export function addLevels(codes: Uint32Array, origin: number, step: number, into: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += origin + step * codes[i]!;
}

/** into[from + i] += step · (codes[i] − zero): code `zero` adds exactly nothing. */
export function addSigned(codes: Uint32Array, zero: number, step: number, into: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += step * (codes[i]! - zero);
}

/** into[from + i] += values[codes[i]]. */
export function addValues(codes: Uint32Array, values: Float64Array, into: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += values[codes[i]!]!;
}

/** into[from + i] += scale · values[codes[i]]. */
export function addScaled(
  codes: Uint32Array,
  values: Float64Array,
  scale: number,
  into: Float32Array,
  from: number,
): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += scale * values[codes[i]!]!;
}

/** codes[i] := rate · vector[i] rounded to the nearest integer, plus offset (at least the largest |rate · x|). */
export function roundHalfUp(vector: Float32Array, rate: number, offset: number, codes: Uint32Array): void {
  for (let i = 0; i < codes.length; i++) codes[i] = offset + 0.5 + rate * vector[i]!;
}
