/** Rounding float32 to formats of fewer bits. @module */

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

/** Bits of the mantissa that are lost, and the words of float32 between which a format's normal numbers lie. */
function geometry({ mantissa, bias }: FloatFormat): { shift: number; normal: number; rebias: number; ulp: number } {
  return {
    shift: 23 - mantissa,
    normal: (128 - bias) << 23,
    rebias: (127 - bias) << mantissa,
    ulp: 2 ** (bias - 1 + mantissa),
  };
}

/** codes[i] := the bits of factor · vector[from + i] in the format, rounded to nearest, ties to even. |…| ≤ largest. */
export function castNearest(
  vector: Float32Array,
  from: number,
  factor: number,
  format: FloatFormat,
  codes: Uint32Array,
): void {
  const { shift, normal, rebias, ulp } = geometry(format), half = (1 << (shift - 1)) - 1, sign = 32 - format.width;
  for (let i = 0; i < codes.length; i++) {
    float[0] = factor * vector[from + i]!;
    const raw = word[0]!, magnitude = raw & 0x7fffffff;
    const code = magnitude >= normal
      ? ((magnitude + half + ((magnitude >>> shift) & 1)) >>> shift) - rebias
      // Adding and subtracting 2⁵² leaves the nearest integer, ties to even.
      : Math.abs(float[0]!) * ulp + 2 ** 52 - 2 ** 52;
    codes[i] = code | ((raw & 0x80000000) >>> sign);
  }
}

/** The same rounded at random to one of the two neighbours, without bias; codes[i] held the random word. */
export function castRandom(
  vector: Float32Array,
  from: number,
  factor: number,
  format: FloatFormat,
  codes: Uint32Array,
): void {
  const { shift, normal, rebias, ulp } = geometry(format), rest = 32 - shift, sign = 32 - format.width;
  for (let i = 0; i < codes.length; i++) {
    float[0] = factor * vector[from + i]!;
    const raw = word[0]!, magnitude = raw & 0x7fffffff, random = codes[i]!;
    const code = magnitude >= normal
      ? ((magnitude + (random >>> rest)) >>> shift) - rebias
      : Math.abs(float[0]!) * ulp + random * 2 ** -32;
    codes[i] = code | ((raw & 0x80000000) >>> sign);
  }
}

const float = new Float32Array(1), word = new Uint32Array(float.buffer);

/** The numbers that the codes of a format stand for; Infinity or NaN beyond the largest. */
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
