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
 * @throws {RangeError} if it is not finite or the message ends before
 */
export function readNorm(name: string, message: Uint8Array, at = 0): number {
  if (message.length < at + 4) refuse(name, `the message has ${message.length} bytes, expected at least ${at + 4}`);
  for (let i = 0; i < 4; i++) view.setUint8(i, message[at + i]!);
  const value = view.getFloat32(0, true);
  if (!Number.isFinite(value)) refuse(name, `the norm is ${value}, expected a finite number`);
  return value < 0 ? -value * ABOVE : value;
}
