/**
 * Codes of fixed width: integers below some number, one for each number of a vector. They are computed and packed in chunks
 * that fit the first level cache, so that no memory in proportion to the vector is needed.
 *
 * @module
 */

import { requirePadding } from "./refuse.ts";
import { pack, packDigits, unpack, unpackDigits } from "../kernels/pack.ts";

/**
 * How many codes a chunk has. Even, since random words come in pairs, and a multiple of 8, 3 and 5, so that a chunk ends
 * with a whole byte for every width and number of digits in a byte.
 */
const CHUNK = 3840;
const memory = new Uint32Array(CHUNK);

/** How codes from 0 to count − 1 are packed. */
export interface Width {
  /** How many different codes there are. */
  readonly count: number;
  /** The bits of a code, if codes are packed as bits. */
  readonly bits: number;
  /** How many codes share a byte as its digits in base `count`; 0 if codes are packed as bits. */
  readonly perByte: number;
}

/** The shorter of ⌈log₂ count⌉ bits for each code and digits in a byte. Digits are shorter if `count` is 3, 5 or 6. */
export function widthOf(count: number): Width {
  const bits = Math.max(1, 32 - Math.clz32(count - 1));
  let perByte = 0;
  while (count ** (perByte + 1) <= 256) perByte++;
  return { count, bits, perByte: 8 / perByte < bits ? perByte : 0 };
}

/** How many bytes `size` codes take. */
export function byteLengthOf({ bits, perByte }: Width, size: number): number {
  return Math.ceil(perByte > 0 ? size / perByte : size * bits / 8);
}

/** Sets or uses the codes of a chunk, whose first one belongs to position `from` of the vector. */
export type Fill = (codes: Uint32Array, from: number) => void;

/** Calls `fill` for each chunk of `size` positions, and then `use`. */
export function eachChunk(size: number, fill: Fill, use: Fill): void {
  for (let from = 0; from < size; from += CHUNK) {
    const codes = size - from < CHUNK ? memory.subarray(0, size - from) : memory;
    fill(codes, from);
    use(codes, from);
  }
}

/** Writes the codes that `fill` sets for `size` positions from byte `at` on. Returns the position after the last byte. */
export function writeCodes(width: Width, size: number, message: Uint8Array, at: number, fill: Fill): number {
  eachChunk(size, fill, (codes) => {
    at = width.perByte > 0
      ? packDigits(codes, width.count, width.perByte, message, at)
      : pack(codes, width.bits, message, at);
  });
  return at;
}

/**
 * Reads `size` codes from byte `at` on and calls `use` for each chunk. Returns the position after the last byte.
 *
 * @throws {RangeError} if the message is too short or a code is out of range
 */
export function readCodes(width: Width, size: number, message: Uint8Array, at: number, use: Fill): number {
  if (message.length - at < byteLengthOf(width, size)) {
    throw new RangeError(
      `Cannot read the message: it has ${message.length} bytes, expected ${at + byteLengthOf(width, size)}`,
    );
  }
  const exact = width.perByte > 0 || width.count === 2 ** width.bits;
  // With digits this is checked where the last byte is read.
  if (width.perByte === 0) requirePadding("the message", message, 8 * at + width.bits * size);
  for (let from = 0; from < size; from += CHUNK) {
    const codes = size - from < CHUNK ? memory.subarray(0, size - from) : memory;
    at = width.perByte > 0
      ? unpackDigits(message, at, width.count, width.perByte, codes)
      : unpack(message, at, width.bits, codes);
    if (!exact) {
      let most = 0;
      for (let i = 0; i < codes.length; i++) most = Math.max(most, codes[i]!);
      if (most >= width.count) {
        throw new RangeError(`Cannot read the message: a code is ${most}, expected less than ${width.count}`);
      }
    }
    use(codes, from);
  }
  return at;
}
