/** Rounding to a lattice step, and the sign and level bits of what is not 0. @module */

import { bits, type Key } from "../../random.ts";

const BLOCK = 2048;
const words = new Uint32Array(BLOCK);

/**
 * Rounds |vector[i]| · inverse to the nearest integer, halves up, at most `limit`. Writes the positions of those above 0,
 * ascending, and their signed levels; returns how many there are.
 */
export function roundNearest(
  vector: Float32Array,
  inverse: number,
  limit: number,
  positions: Uint32Array,
  levels: Int32Array,
): number {
  const floats = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
  let n = 0;
  // Without branches, which random signs and zeros would make the processor guess.
  for (let i = 0; i < vector.length; i++) {
    const sign = floats[i]! >> 31, level = Math.min(limit, (Math.abs(vector[i]!) * inverse + 0.5) | 0);
    positions[n] = i;
    levels[n] = (level ^ sign) - sign;
    n += -level >>> 31;
  }
  return n;
}

/** The same with ⌊v⌋ + 1 where u < frac(v), else ⌊v⌋: u is a multiple of 2⁻²⁴, made of one word of the key's stream. */
export function roundRandom(
  vector: Float32Array,
  inverse: number,
  limit: number,
  key: Key,
  positions: Uint32Array,
  levels: Int32Array,
): number {
  const floats = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
  let n = 0;
  for (let from = 0; from < vector.length; from += BLOCK) {
    const to = Math.min(vector.length, from + BLOCK);
    bits(key, to - from === BLOCK ? words : words.subarray(0, to - from), from);
    for (let i = from; i < to; i++) {
      // ⌊v + 1 − u⌋ in one step, less one unit of u so that whole levels stay: (2²⁴ − 1 − word) / 2²⁴ ∈ [0, 1).
      const room = ((words[i - from]! >>> 8) ^ 0xffffff) * 2 ** -24;
      const sign = floats[i]! >> 31, level = Math.min(limit, (Math.abs(vector[i]!) * inverse + room) | 0);
      positions[n] = i;
      levels[n] = (level ^ sign) - sign;
      n += -level >>> 31;
    }
  }
  return n;
}

/**
 * Writes a sign bit for each level (1: negative), then each magnitude in unary, from `bitAt` on. Bits of a first byte that
 * are before `bitAt` are kept. Returns the position after the last bit; the bits of its byte after that are 0.
 */
export function packLevels(levels: Int32Array, count: number, message: Uint8Array, bitAt: number): number {
  let at = bitAt >>> 3, have = bitAt & 7, word = have === 0 ? 0 : message[at]! >>> (8 - have);
  for (let j = 0; j < count; j++) {
    word = (word << 1) | (levels[j]! >>> 31);
    if (++have === 8) message[at++] = word, have = 0;
  }
  word &= (1 << have) - 1;
  for (let j = 0; j < count; j++) {
    let level = Math.abs(levels[j]!);
    while (level > 16) {
      word = (word << 16) | 0xffff, level -= 16;
      message[at++] = word >>> (have + 8), message[at++] = word >>> have;
      word &= (1 << have) - 1;
    }
    word = (word << level) | ((1 << level) - 2), have += level;
    while (have >= 8) have -= 8, message[at++] = word >>> have;
    word &= (1 << have) - 1;
  }
  if (have > 0) message[at] = word << (8 - have);
  return 8 * at + have;
}

/**
 * Reads what {@linkcode packLevels} wrote. Returns the position after the last bit, which may lie past the message's end,
 * where bits are 0; or −1 if a magnitude exceeds `limit`.
 */
export function unpackLevels(
  message: Uint8Array,
  bitAt: number,
  count: number,
  limit: number,
  levels: Int32Array,
): number {
  const { length } = message;
  let position = bitAt + count;
  for (let j = 0; j < count; j++) {
    const signAt = bitAt + j, sign = (message[signAt >>> 3]! >>> (7 - (signAt & 7))) & 1;
    let level = 1;
    for (;;) {
      // The next 32 bits, of which at least 25 are the message's.
      const at = position >>> 3;
      const window = at + 4 <= length
        ? message[at]! << 24 | message[at + 1]! << 16 | message[at + 2]! << 8 | message[at + 3]!
        : tail(message, at);
      const ones = Math.min(24, Math.clz32(~(window << (position & 7))));
      level += ones, position += ones;
      if (level > limit) return -1;
      if (ones < 24) break;
    }
    position++;
    levels[j] = sign === 1 ? -level : level;
  }
  return position;
}

/** 32 bits from byte `at` on, 0 past the end. */
function tail(message: Uint8Array, at: number): number {
  let window = 0;
  for (let i = at; i < at + 4; i++) window = window << 8 | (i < message.length ? message[i]! : 0);
  return window;
}

/** into[positions[j]] += unit · levels[j]. */
export function scatterLevels(
  positions: Uint32Array,
  levels: Int32Array,
  count: number,
  unit: number,
  into: Float32Array,
): void {
  for (let j = 0; j < count; j++) into[positions[j]!]! += unit * levels[j]!;
}
