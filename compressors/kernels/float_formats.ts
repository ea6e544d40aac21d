/** Rounding float32 to floating-point formats of fewer bits; a code is the bits of a number in such a format. @module */

import { wordOf } from "./float32.ts";

/** A binary floating-point format: sign, exponent, mantissa, as IEEE 754 lays them out. */
export interface FloatFormat {
  /** Bits of the mantissa. */
  readonly mantissa: number;
  /** What is added to the exponent in its field. */
  readonly bias: number;
  /** Bits in all. */
  readonly width: 8 | 16;
  /** The largest finite number. */
  readonly largest: number;
}

/** How the bits of float32 become those of a format. */
interface Geometry {
  /** Bits of float32's mantissa that are lost. */
  readonly shift: number;
  /** The word of the format's least normal number in float32. Below it the format has equal steps. */
  readonly normal: number;
  /** What a shifted word exceeds the code by. */
  readonly rebias: number;
  /** One over the format's least step. */
  readonly ulp: number;
}

function geometry({ mantissa, bias }: FloatFormat): Geometry {
  return {
    shift: 23 - mantissa,
    normal: (128 - bias) << 23,
    rebias: (127 - bias) << mantissa,
    ulp: 2 ** (bias - 1 + mantissa),
  };
}

/** codes[i] := factor · vector[from + i] rounded to nearest, ties to even. The product must not exceed the format's largest. */
export function castNearest(
  vector: Float32Array,
  from: number,
  factor: number,
  format: FloatFormat,
  codes: Uint32Array,
): void {
  const { shift, normal, rebias, ulp } = geometry(format), half = (1 << (shift - 1)) - 1, sign = 32 - format.width;
  for (let i = 0; i < codes.length; i++) {
    const value = factor * vector[from + i]!, raw = wordOf(value), magnitude = raw & 0x7fffffff;
    const code = magnitude >= normal
      ? ((magnitude + half + ((magnitude >>> shift) & 1)) >>> shift) - rebias
      // Adding and subtracting 2⁵² leaves the nearest integer, ties to even.
      : Math.abs(Math.fround(value)) * ulp + 2 ** 52 - 2 ** 52;
    codes[i] = code | ((raw & 0x80000000) >>> sign);
  }
}

/**
 * Stochastic rounding: codes[i] := factor · vector[from + i] rounded to one of its two neighbours in the format so that the
 * mean is the number. codes[i] held the random 32-bit word. The product must not exceed the format's largest.
 */
export function castRandom(
  vector: Float32Array,
  from: number,
  factor: number,
  format: FloatFormat,
  codes: Uint32Array,
): void {
  const { shift, normal, rebias, ulp } = geometry(format), rest = 32 - shift, sign = 32 - format.width;
  for (let i = 0; i < codes.length; i++) {
    const value = factor * vector[from + i]!, raw = wordOf(value), magnitude = raw & 0x7fffffff, random = codes[i]!;
    const code = magnitude >= normal
      ? ((magnitude + (random >>> rest)) >>> shift) - rebias
      : Math.abs(Math.fround(value)) * ulp + random * 2 ** -32;
    codes[i] = code | ((raw & 0x80000000) >>> sign);
  }
}

/** The numbers that the codes of a format stand for, by code; ±Infinity for codes beyond the largest. */
export function valuesOf({ mantissa, bias, width, largest }: FloatFormat): Float64Array {
  const half = 2 ** (width - 1), unit = 2 ** mantissa;
  const values = new Float64Array(2 * half);
  for (let code = 0; code < half; code++) {
    const field = code >>> mantissa, fraction = (code % unit) / unit;
    const value = field === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (field - bias);
    values[code] = value > largest ? Infinity : value;
    values[code + half] = -values[code]!;
  }
  return values;
}
