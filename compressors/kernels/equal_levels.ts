/** Rounding to equally spaced levels, and the values of their codes: level number c has code c. @module */

/**
 * Stochastic rounding: codes[i] := ⌊offset + rate · vector[from + i] + u⌋, held within 0 … top (top ≤ 2²⁰), where u ∈ [0, 1)
 * is the random 32-bit word that codes[i] held, divided by 2³². The mean of the code is offset + rate · x, to 2⁻³², if that
 * lies within 0 … top.
 */
export function stochasticRound(
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

/** codes[i] := offset + the integer nearest to rate · vector[i], which must not be below −offset. Halves are rounded up. */
export function roundHalfUp(vector: Float32Array, rate: number, offset: number, codes: Uint32Array): void {
  for (let i = 0; i < codes.length; i++) codes[i] = offset + 0.5 + rate * vector[i]!;
}

/** into[from + i] += origin + step · codes[i]. */
export function addLevels(codes: Uint32Array, origin: number, step: number, into: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += origin + step * codes[i]!;
}

/** into[from + i] += step · (codes[i] − zero). The code `zero` adds exactly 0. */
export function addSigned(codes: Uint32Array, zero: number, step: number, into: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += step * (codes[i]! - zero);
}
