/**
 * The dither of subtractive dithering: for each number a random offset, and a random sign that the number is multiplied by.
 * A draw holds both in 16 bits: the dither in the lower 15, the sign in the highest.
 *
 * @module
 */

import { bits, type Key } from "../../random.ts";
import { clampFloat32 } from "./float32.ts";

/** The dither is a multiple of 1/UNIT, apart from an offset below that. It lies in [0, 4). */
export const UNIT = 8192;

/** draws[0 .. count) := draws of the key's stream from position `from` on, a multiple of 4. `words` is working memory. */
export function drawDither(key: Key, from: number, draws: Uint16Array, count: number, words: Uint32Array): void {
  const pairs = words.subarray(0, (count + 1) >> 1);
  bits(key, pairs, from / 2);
  for (let i = 0; i < pairs.length; i++) draws[2 * i] = pairs[i]!, draws[2 * i + 1] = pairs[i]! >>> 16;
}

/** values[i] := ±values[i] · gain + dither, which is what is rounded. The offset is in 1/UNIT. */
export function addDither(
  values: Float64Array,
  draws: Uint16Array,
  count: number,
  gain: number,
  offset: number,
): void {
  for (let i = 0; i < count; i++) {
    const draw = draws[i]!;
    values[i] = (1 - ((draw >> 14) & 2)) * values[i]! * gain + ((draw & 0x7fff) + offset) / UNIT;
  }
}

/** values[i] := ±values[i] · gain, taken into the range of finite float32. */
export function removeSigns(values: Float64Array, draws: Uint16Array, count: number, gain: number): void {
  for (let i = 0; i < count; i++) values[i] = clampFloat32((1 - ((draws[i]! >> 14) & 2)) * values[i]! * gain);
}
