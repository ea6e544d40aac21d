/** Stochastic rounding to powers of two. @module */

import { scratch } from "./scratch.ts";

/**
 * codes[i] := the 9 bits of sign and exponent field of the float vector[from + i], rounded to one of the two powers of two
 * around it (or kept, if it is 0) so that its mean is the number. The vector is given as its `words`, and codes[i] held a
 * random word. An exponent field of 255, which no finite number has, says that the power is below 2⁻¹²⁶, the least that a
 * field can tell: its exponent, less −149, is then appended to `small` (0 … 22). Returns how many were appended.
 */
export function roundToPowers(words: Uint32Array, from: number, codes: Uint32Array, small: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < codes.length; i++) {
    const word = words[from + i]!, random = codes[i]!;
    // A uniform 23-bit number added to the mantissa carries into the exponent with probability mantissa / 2²³.
    let code = (word + (random >>> 9)) >>> 23;
    if ((word & 0x7f800000) === 0) {
      const mantissa = word & 0x7fffff;
      if (mantissa === 0) code = 0;
      else {
        // Below 2⁻¹²⁶ the leading one stands in the mantissa, and the bits after it are what may carry.
        const place = 31 - Math.clz32(mantissa), below = mantissa - (1 << place);
        const power = place + ((random >>> (32 - place)) % 2 ** place < below ? 1 : 0);
        if (power === 23) code = (word >>> 23) | 1;
        else {
          code = (word >>> 23) | 255;
          small[count++] = power;
        }
      }
    } else if ((code & 255) === 255) code--; // 2¹²⁸ is no float32.
    codes[i] = code;
  }
  return count;
}

/**
 * into[from + i] += scale · the number that codes[i] stands for, see {@linkcode roundToPowers}. The exponents in `small` are
 * taken from index `used` on; returns the index after the last one taken.
 */
export function addPowers(
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

/** The number that each code stands for, apart from those with a field of 255. */
const POWERS = Float64Array.from(
  { length: 512 },
  (_, code) => (code & 255) === 0 ? 0 : (code > 255 ? -1 : 1) * 2 ** ((code & 255) - 127),
);

/**
 * codes[i] := levels + l or levels − l for a number of that sign, where level l of 1 … `levels` is 2^(l − levels) and level 0
 * is 0. perNorm · |vector[from + i]| is rounded to one of the two levels around it so that its mean is the number; codes[i]
 * held the random word.
 */
export function ditherToPowers(
  vector: Float32Array,
  from: number,
  perNorm: number,
  levels: number,
  codes: Uint32Array,
): void {
  // In units of the lowest level above 0, which is 1 then.
  const rate = perNorm * 2 ** (levels - 1), count = codes.length;
  const signs = new Int32Array(vector.buffer, vector.byteOffset + 4 * from, count);
  const floats = magnitudes(count), words = new Int32Array(floats.buffer, 0, count);
  for (let i = 0; i < count; i++) floats[i] = Math.abs(rate * vector[from + i]!);
  for (let i = 0; i < count; i++) {
    const random = codes[i]!, word = words[i]!;
    // `low` rounds numbers below 1 to level 0 or 1; `high` rounds others by the carry from the mantissa. Both are computed
    // and a mask takes the right one, because a branch would be mispredicted.
    const low = 1 - ((1 + random * 2 ** -32 - floats[i]!) | 0), high = ((word + (random >>> 9)) >>> 23) - 126;
    const above = (0x3f7fffff - word) >> 31, sign = signs[i]! >> 31;
    const level = Math.min(levels, (high & above) | (low & ~above));
    codes[i] = levels + ((level ^ sign) - sign);
  }
}

const magnitudes = scratch(Float32Array);
