/** Unbiased rounding to powers of two, and their exponents in 9 bits. @module */

import { scratch } from "./scratch.ts";

/**
 * codes[i] := the sign and exponent field, 9 bits, of vector[from + i] rounded at random to a neighbouring power of two;
 * codes[i] held the random word. A field of 255 stands for a subnormal power, whose exponent is appended to `small`
 * (0 to 22, for 2⁻¹⁴⁹ to 2⁻¹²⁷). Returns how many of those there are.
 */
export function natural(words: Uint32Array, from: number, codes: Uint32Array, small: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < codes.length; i++) {
    const word = words[from + i]!, random = codes[i]!;
    // A uniform 23-bit number added to the mantissa carries into the exponent with probability mantissa / 2²³.
    let code = (word + (random >>> 9)) >>> 23;
    if ((word & 0x7f800000) === 0) {
      const mantissa = word & 0x7fffff;
      if (mantissa === 0) code = 0;
      else {
        // The same for the mantissa's own leading one, at any of its places.
        const place = 31 - Math.clz32(mantissa), below = mantissa - (1 << place);
        const power = place + ((random >>> (32 - place)) % 2 ** place < below ? 1 : 0);
        if (power === 23) code = (word >>> 23) | 1;
        else {
          code = (word >>> 23) | 255;
          small[count++] = power;
        }
      }
    } else if ((code & 255) === 255) code--; // 2¹²⁸ is no float32
    codes[i] = code;
  }
  return count;
}

/** into[from + i] += scale · the power of two that codes[i] stands for; see `natural`. Returns how many of `small` it used. */
export function addNatural(
  codes: Uint32Array,
  small: Uint8Array,
  used: number,
  scale: number,
  into: Float32Array,
  from: number,
): number {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!, field = code & 255;
    if (field === 255) into[from + i]! += (code > 255 ? -scale : scale) * 2 ** (small[used++]! - 149);
    else into[from + i]! += scale * POWERS[code]!;
  }
  return used;
}

/** The value of each code but those with field 255. */
const POWERS = Float64Array.from(
  { length: 512 },
  (_, code) => (code & 255) === 0 ? 0 : (code > 255 ? -1 : 1) * 2 ** ((code & 255) - 127),
);

/**
 * codes[i] := levels ± l for vector[from + i], where 2^(l − levels) (l = 0: zero) is one of the two neighbours of
 * perNorm · |x| among 0, 2^(1 − levels) … 1/2, 1, chosen without bias; codes[i] held the random word.
 */
export function naturalDither(
  vector: Float32Array,
  from: number,
  perNorm: number,
  levels: number,
  codes: Uint32Array,
): void {
  // In units of the lowest level.
  const rate = perNorm * 2 ** (levels - 1), count = codes.length;
  const signs = new Int32Array(vector.buffer, vector.byteOffset + 4 * from, count);
  const floats = magnitudes(count), words = new Int32Array(floats.buffer, 0, count);
  for (let i = 0; i < count; i++) floats[i] = Math.abs(rate * vector[from + i]!);
  for (let i = 0; i < count; i++) {
    const random = codes[i]!, word = words[i]!;
    // Below 1 to 0 or 1, above it to a power of two by the carry from the mantissa; both, and the right one by a mask.
    const low = 1 - ((1 + random * 2 ** -32 - floats[i]!) | 0), high = ((word + (random >>> 9)) >>> 23) - 126;
    const above = (0x3f7fffff - word) >> 31, sign = signs[i]! >> 31;
    const level = Math.min(levels, (high & above) | (low & ~above));
    codes[i] = levels + ((level ^ sign) - sign);
  }
}

const magnitudes = scratch(Float32Array);
