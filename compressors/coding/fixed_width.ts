/**
 * The part that fixed-width formats share: a vector goes to its message, and back, in chunks whose codes fit the first
 * level cache, so that no memory in proportion to the vector is needed.
 *
 * @module
 */

import { requirePadding } from "./refuse.ts";
import { pack, packDigits, unpack, unpackDigits } from "../kernels/pack.ts";

/** Codes in a chunk: even (random words come in pairs), whole bytes for every width and for 3 or 5 digits a byte. */
const CHUNK = 3840;
const memory = new Uint32Array(CHUNK);

/** How integers 0 … count − 1 are laid out. */
export interface Width {
  /** How many different codes there are. */
  readonly count: number;
  /** Bits per code, where codes are packed as bits. */
  readonly bits: number;
  /** Codes per byte, where they are packed as digits, else 0. */
  readonly perByte: number;
}

/** The denser of ⌈log₂ count⌉ bits and whole digits of base `count` in a byte (which is shorter for counts 3, 5 and 6). */
export function widthOf(count: number): Width {
  const bits = Math.max(1, 32 - Math.clz32(count - 1));
  let perByte = 0;
  while (count ** (perByte + 1) <= 256) perByte++;
  return { count, bits, perByte: 8 / perByte < bits ? perByte : 0 };
}

/** Bytes of `size` codes. */
export function byteLengthOf({ bits, perByte }: Width, size: number): number {
  return Math.ceil(perByte > 0 ? size / perByte : size * bits / 8);
}

/** Sets the codes of the positions that begin at `from`. */
export type Fill = (codes: Uint32Array, from: number) => void;

/** Fills the codes of `size` positions, chunk by chunk, and hands each chunk to `use`. */
export function eachChunk(size: number, fill: Fill, use: Fill): void {
  for (let from = 0; from < size; from += CHUNK) {
    const codes = size - from < CHUNK ? memory.subarray(0, size - from) : memory;
    fill(codes, from);
    use(codes, from);
  }
}

/** Appends `size` codes from byte `at` on. Returns the end. */
export function writeCodes(width: Width, size: number, message: Uint8Array, at: number, fill: Fill): number {
  eachChunk(size, fill, (codes) => {
    at = width.perByte > 0
      ? packDigits(codes, width.count, width.perByte, message, at)
      : pack(codes, width.bits, message, at);
  });
  return at;
}

/**
 * Hands `size` codes from byte `at` on to `use`, chunk by chunk. Returns the end.
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
  // With digits the reader of the last byte checks this.
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
