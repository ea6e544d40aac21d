/** Numbers of few bits whose relative error is bounded: float32 cut to its exponent and the first bits of its mantissa. @module */

import { floatOf, MAX_FLOAT32, wordOf } from "../kernels/float32.ts";
import { readNorm, writeNorm } from "./norm.ts";
import { refuse } from "./refuse.ts";

/** The exponent and the first `mantissa` bits of the mantissa of a number ≥ 0. Larger numbers have larger codes. */
export function leadingBits(value: number, mantissa: number): number {
  return wordOf(value) >>> (23 - mantissa);
}

/** The least number whose {@linkcode leadingBits} are `code`. */
export function fromLeadingBits(code: number, mantissa: number): number {
  return floatOf(code << (23 - mantissa));
}

/** A scale of one byte has 2 bits of mantissa, thus four values for each power of two, and goes from 2⁻⁴⁵ to below 2¹⁸. */
const MANTISSA = 2, LEAST = 2 ** -45, BELOW = 2 ** 18;
/** The leading bits of the least scale. */
const FIRST = (127 - 45) * 2 ** MANTISSA;

function fitsByte(value: number): boolean {
  return value >= LEAST && value < BELOW;
}

/** The number that {@linkcode writeLogScale} sends instead of `value`: the next below it that fits one byte, or itself. */
export function sentLogScale(value: number): number {
  return fitsByte(value) ? fromLeadingBits(leadingBits(value, MANTISSA), MANTISSA) : value;
}

/**
 * Writes a scale to the start of the message, and returns how many bytes it took.
 *
 * | first byte | bytes | value                                              |
 * | ---------- | ----- | -------------------------------------------------- |
 * | 0          | 1     | 0                                                  |
 * | 1 … 252    | 1     | the places from 2⁻⁴⁵ on, four for each power of 2  |
 * | 255        | 5     | any other value, as {@linkcode writeNorm} sends it |
 */
export function writeLogScale(value: number, message: Uint8Array): number {
  const inByte = value === 0 || fitsByte(value);
  message[0] = !inByte ? 255 : value === 0 ? 0 : 1 + leadingBits(value, MANTISSA) - FIRST;
  if (!inByte) writeNorm(value, message, 1);
  return inByte ? 1 : 5;
}

/**
 * Reads what {@linkcode writeLogScale} wrote, and where it ends.
 *
 * @throws {RangeError} if the message ends before, the value is not finite, or one byte would have done where it has five
 */
export function readLogScale(name: string, message: Uint8Array): { value: number; end: number } {
  if (message.length === 0) refuse(name, "the message is empty");
  const code = message[0]!;
  if (code === 255) {
    const value = readNorm(name, message, 1, MAX_FLOAT32);
    if (value === 0 || fitsByte(value)) refuse(name, `the scale is ${value} in five bytes, expected it in one`);
    return { value, end: 5 };
  }
  const value = code === 0 ? 0 : fromLeadingBits(code - 1 + FIRST, MANTISSA);
  if (value >= BELOW) refuse(name, `the scale's code is ${code}, expected at most 252, or 255`);
  return { value, end: 1 };
}
