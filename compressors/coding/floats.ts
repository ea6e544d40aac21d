/** One float32 in a message, as four bytes in little-endian order. @module */

import { floatOf, wordOf } from "../kernels/float32.ts";
import { refuse } from "./refuse.ts";

/** Writes `value`, rounded to float32, at byte `at`. Returns the position after it. */
export function writeFloat(value: number, message: Uint8Array, at: number): number {
  const word = wordOf(value);
  for (let shift = 0; shift < 32; shift += 8) message[at++] = word >>> shift;
  return at;
}

/** The bits of the float32 at byte `at`. @throws {RangeError} if the message ends before its last byte */
export function readWord(name: string, message: Uint8Array, at: number): number {
  if (message.length < at + 4) refuse(name, `the message has ${message.length} bytes, expected at least ${at + 4}`);
  return (message[at]! | (message[at + 1]! << 8) | (message[at + 2]! << 16) | (message[at + 3]! << 24)) >>> 0;
}

/**
 * The finite float32 at byte `at`.
 *
 * @throws {RangeError} if the message ends before its last byte, or the number is not finite
 */
export function readFloat(name: string, message: Uint8Array, at: number): number {
  const value = floatOf(readWord(name, message, at));
  if (!Number.isFinite(value)) refuse(name, `a scale is ${value}, expected a finite number`);
  return value;
}

/**
 * The float32 at byte `at`, which is a scale: a finite number that is not negative. No encoder writes −0 as a scale.
 *
 * @throws {RangeError} if the message ends before its last byte, or the number is negative, −0 or not finite
 */
export function readScale(name: string, message: Uint8Array, at: number): number {
  const scale = readFloat(name, message, at);
  if (message[at + 3]! >= 128) {
    refuse(name, `a scale is ${scale === 0 ? "−0" : scale}, expected a number of at least 0`);
  }
  return scale;
}
