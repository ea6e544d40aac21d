/** How a norm travels: float32, with room for the norms of vectors near float32's limit. @module */

import { refuse } from "./refuse.ts";

/** Above float32, in units of 2⁶⁴. */
const ABOVE = 2 ** 64, LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** The largest float32: decoded numbers are held to it. */
export const MAX_FLOAT32 = LARGEST;

const view = new DataView(new ArrayBuffer(4));

/** The number that {@link writeNorm} will send instead of `value` ≥ 0: within 2⁻²⁴ of it, or 2⁻¹⁵⁰. */
export function sentNorm(value: number): number {
  return value <= LARGEST ? Math.fround(value) : Math.fround(value / ABOVE) * ABOVE;
}

/** Writes a norm as 4 bytes, little endian: float32, or minus its 2⁻⁶⁴th part where it is above float32. */
export function writeNorm(value: number, message: Uint8Array, at = 0): void {
  view.setFloat32(0, value <= LARGEST ? value : -value / ABOVE, true);
  for (let i = 0; i < 4; i++) message[at + i] = view.getUint8(i);
}

/**
 * Reads a norm.
 *
 * @param most the largest norm that there can be: √d times the largest float32
 * @throws {RangeError} if it is not finite, negative where a positive float32 would do, above `most`, or the message ends before
 */
export function readNorm(name: string, message: Uint8Array, at = 0, most: number = LARGEST): number {
  if (message.length < at + 4) refuse(name, `the message has ${message.length} bytes, expected at least ${at + 4}`);
  for (let i = 0; i < 4; i++) view.setUint8(i, message[at + i]!);
  const value = view.getFloat32(0, true);
  if (!Number.isFinite(value)) refuse(name, `the norm is ${value}, expected a finite number`);
  const negative = view.getUint8(3) >>> 7 === 1, norm = negative ? -value * ABOVE : value;
  // Only what is above float32 travels with a minus; rounding may take it back to the limit.
  if (norm > most * (1 + 2 ** -23) || (negative && norm < LARGEST)) {
    refuse(name, `the norm is ${value}, expected a number from 0 to ${most}`);
  }
  return norm;
}

/** A norm in 31 bits: float32 without its sign; above float32, 2^(128 + e) · m of 4 bits of e and 19 of m, truncated. */
export function normTo31(value: number): number {
  if (value <= LARGEST) {
    view.setFloat32(0, value);
    return view.getUint32(0);
  }
  let e = 0;
  while (value >= 2 ** (129 + e)) e++;
  return 0x7f800000 + e * 2 ** 19 + Math.floor((value / 2 ** (128 + e) - 1) * 2 ** 19);
}

/** The norm that 31 bits stand for. */
export function normFrom31(bits: number): number {
  if (bits < 0x7f800000) {
    view.setUint32(0, bits);
    return view.getFloat32(0);
  }
  const rest = bits - 0x7f800000;
  return 2 ** (128 + (rest >>> 19)) * (1 + (rest & 0x7ffff) / 2 ** 19);
}

/** Float32 cut to `mantissa` bits below the leading one: its sign-free bits above those, and back. */
export function coarse(value: number, mantissa: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0) >>> (23 - mantissa);
}

/** The number that {@link coarse} stands for. */
export function fromCoarse(code: number, mantissa: number): number {
  view.setUint32(0, code << (23 - mantissa));
  return view.getFloat32(0);
}

/** Bits of mantissa, and the code of 2⁻⁴⁵, of {@link writeScale}. */
const MANTISSA = 2, LEAST = (127 - 45) * 2 ** MANTISSA;

/** The largest number not above `value` that {@link writeScale} writes in one byte, or `value` where there is none. */
export function logarithmicScale(value: number): number {
  return value >= 2 ** -45 && value < 2 ** 18 ? fromCoarse(coarse(value, MANTISSA), MANTISSA) : value;
}

/** Writes a {@link logarithmicScale}: 0, or 1 + its place from 2⁻⁴⁵ on, four an octave; or 255 and a float32. */
export function writeScale(value: number, message: Uint8Array): number {
  const inside = value === 0 || value >= 2 ** -45 && value < 2 ** 18;
  message[0] = !inside ? 255 : value === 0 ? 0 : 1 + coarse(value, MANTISSA) - LEAST;
  if (!inside) writeNorm(value, message, 1);
  return inside ? 1 : 5;
}

/**
 * Reads what {@link writeScale} wrote, and where it ends.
 *
 * @throws {RangeError} if it is not finite or the message ends before
 */
export function readScale(name: string, message: Uint8Array): { value: number; end: number } {
  if (message.length === 0) refuse(name, "the message is empty");
  const code = message[0]!;
  if (code === 255) {
    const value = readNorm(name, message, 1);
    if (value === 0 || value >= 2 ** -45 && value < 2 ** 18) {
      refuse(name, `the scale is ${value} in five bytes, expected it in one`);
    }
    return { value, end: 5 };
  }
  const value = code === 0 ? 0 : fromCoarse(code - 1 + LEAST, MANTISSA);
  if (value >= 2 ** 18) refuse(name, `the scale's code is ${code}, expected at most 252, or 255`);
  return { value, end: 1 };
}
