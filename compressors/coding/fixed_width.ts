/**
 * The part that fixed-width formats share: a vector goes to its message, and back, in chunks whose codes fit the first
 * level cache, so that no memory in proportion to the vector is needed.
 *
 * @module
 */

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
  if (width.perByte === 0) expectPadding("the message", message, 8 * at + width.bits * size);
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

/**
 * Checks that a message ends where its content does.
 *
 * @throws {RangeError} if it does not
 */
export function expectEnd(name: string, message: Uint8Array, at: number): void {
  if (message.length !== at) {
    throw new RangeError(`Cannot decode ${name}: the message has ${message.length} bytes, expected ${at}`);
  }
}

/**
 * Checks that a message ends with the byte of its last bit, and that the bits of that byte after it are 0.
 *
 * @param bitAt the position after the last bit
 * @throws {RangeError} if it does not: an encoder wrote no such message
 */
export function expectBitEnd(name: string, message: Uint8Array, bitAt: number): void {
  expectEnd(name, message, (bitAt + 7) >>> 3);
  expectPadding(name, message, bitAt);
}

/**
 * Checks that the bits that follow `bitAt` in its byte are 0.
 *
 * @throws {RangeError} if one is not: an encoder wrote no such message
 */
export function expectPadding(name: string, message: Uint8Array, bitAt: number): void {
  const used = bitAt & 7;
  if (used > 0 && (message[bitAt >>> 3]! & (0xff >>> used)) !== 0) {
    throw new RangeError(`Cannot decode ${name}: byte ${bitAt >>> 3} has bits set after its last, expected zeros`);
  }
}

const float = new Float32Array(1), word = new Uint32Array(float.buffer);

/** Writes a float32, little-endian, at byte `at`. Returns the position after it. */
export function putFloat(value: number, message: Uint8Array, at: number): number {
  float[0] = value;
  for (let shift = 0; shift < 32; shift += 8) message[at++] = word[0]! >>> shift;
  return at;
}

/**
 * The finite float32 at byte `at`.
 *
 * @throws {RangeError} if the message ends before or the number is not finite
 */
export function getFloat(message: Uint8Array, at: number): number {
  if (message.length < at + 4) {
    throw new RangeError(`Cannot read the message: it has ${message.length} bytes, expected at least ${at + 4}`);
  }
  word[0] = message[at]! | (message[at + 1]! << 8) | (message[at + 2]! << 16) | (message[at + 3]! << 24);
  if (!Number.isFinite(float[0]!)) throw new RangeError(`Cannot read the message: a scale is ${float[0]}`);
  return float[0]!;
}

/**
 * The float32 at byte `at` as a scale.
 *
 * @throws {RangeError} if it is negative (−0 included), not finite, or cut off
 */
export function getScale(message: Uint8Array, at: number): number {
  const scale = getFloat(message, at);
  // −0 has its sign set as well, and no encoder writes it as a scale.
  if (word[0]! >>> 31 === 1) {
    throw new RangeError(
      `Cannot read the message: a scale is ${scale === 0 ? "−0" : scale}, expected a number of at least 0`,
    );
  }
  return scale;
}

/** The largest finite float32. */
export const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;
