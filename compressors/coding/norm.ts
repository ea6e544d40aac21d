/**
 * A norm in a message. The norm of d numbers may be up to √d times the largest float32, so both codes here leave room
 * above float32.
 *
 * @module
 */

import { floatOf, MAX_FLOAT32, wordOf } from "../kernels/float32.ts";
import { readWord, writeFloat } from "./floats.ts";
import { refuse } from "./refuse.ts";

/** A norm above float32 is sent as this part of it, with a minus sign as the mark. */
const UNIT = 2 ** 64;

/** The number that {@linkcode writeNorm} sends instead of `value` ≥ 0. It differs by at most 2⁻²⁴ of the value, or 2⁻¹⁵⁰. */
export function sentNorm(value: number): number {
  return value <= MAX_FLOAT32 ? Math.fround(value) : Math.fround(value / UNIT) * UNIT;
}

/** Writes a norm as a float32 at byte `at`: the norm itself, or −norm / 2⁶⁴ where the norm is above float32. */
export function writeNorm(value: number, message: Uint8Array, at = 0): void {
  writeFloat(value <= MAX_FLOAT32 ? value : -value / UNIT, message, at);
}

/**
 * Reads what {@linkcode writeNorm} wrote at byte `at`.
 *
 * @param most the largest norm that there can be
 * @throws {RangeError} if the message ends before the last byte, or the number is not finite, is above `most`, or is
 *   negative where the norm fits float32
 */
export function readNorm(name: string, message: Uint8Array, at = 0, most: number = MAX_FLOAT32): number {
  const word = readWord(name, message, at), value = floatOf(word);
  if (!Number.isFinite(value)) refuse(name, `the norm is ${value}, expected a finite number`);
  const negative = word >= 0x80000000, norm = negative ? -value * UNIT : value;
  // A norm just above float32 may have been rounded to the largest float32, and one just below `most` to the next number.
  if (norm > most * (1 + 2 ** -23) || (negative && norm < MAX_FLOAT32)) {
    refuse(name, `the norm is ${value}, expected a number from 0 to ${most}`);
  }
  return norm;
}

/**
 * A norm as 31 bits: those of its float32 without the sign. Above float32 the bits from 0x7f800000 on, which mean infinity
 * or no number in a float32, hold 4 bits of e and 19 bits of m for the norm 2^(128 + e) · (1 + m / 2¹⁹), rounded down.
 */
export function normTo31(value: number): number {
  if (value <= MAX_FLOAT32) return wordOf(value);
  let e = 0;
  while (value >= 2 ** (129 + e)) e++;
  return 0x7f800000 + e * 2 ** 19 + Math.floor((value / 2 ** (128 + e) - 1) * 2 ** 19);
}

/** The norm that the 31 bits of {@linkcode normTo31} stand for. */
export function normFrom31(bits: number): number {
  if (bits < 0x7f800000) return floatOf(bits);
  const rest = bits - 0x7f800000;
  return 2 ** (128 + (rest >>> 19)) * (1 + (rest & 0x7ffff) / 2 ** 19);
}
