/**
 * Numbers rounded to multiples of a step, of which most become 0. Of the others the position in the vector and the signed
 * level (the number is about level · step) are kept, and a level is coded as a sign and its magnitude in unary: level − 1
 * ones and a zero.
 *
 * @module
 */

import { bits, type Key } from "../../random.ts";

const BLOCK = 2048;
const words = new Uint32Array(BLOCK);

/**
 * Rounds |vector[i]| · inverse to the nearest integer, halves up, but to `limit` at most. Writes the positions of the levels
 * that are not 0, ascending, and these levels; returns how many there are.
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
  // Without branches, which random signs and zeros make the processor mispredict: a level of 0 is written too, and then
  // overwritten, because n stays.
  for (let i = 0; i < vector.length; i++) {
    const sign = floats[i]! >> 31, level = Math.min(limit, (Math.abs(vector[i]!) * inverse + 0.5) | 0);
    positions[n] = i;
    levels[n] = (level ^ sign) - sign;
    n += -level >>> 31;
  }
  return n;
}

/**
 * As {@linkcode roundNearest}, but with stochastic rounding of v = |vector[i]| · inverse: to ⌊v⌋ + 1 where u is below the
 * fraction of v, else to ⌊v⌋. Here u ∈ [0, 1) is a multiple of 2⁻²⁴ made of word i of the key's stream.
 */
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
      // ⌊v + 1 − u − 2⁻²⁴⌋. The last term keeps a v that is an integer where it is, also for u = 0.
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
 * Writes a sign bit for each level, 1 where it is negative, then each magnitude in unary, from bit `bitAt` of the message
 * on. The bits before it in its byte are kept. Returns the position after the last bit; its byte ends with zeros.
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
 * Reads what {@linkcode packLevels} wrote. Returns the position after the last bit, or −1 if a magnitude exceeds `limit`.
 * The position may lie past the message's end: the bits there are read as 0.
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
      // The 32 bits from the position's byte on, of which at least 25 come after the position: ones are counted by 24.
      const at = position >>> 3;
      const window = at + 4 <= length
        ? message[at]! << 24 | message[at + 1]! << 16 | message[at + 2]! << 8 | message[at + 3]!
        : lastBits(message, at);
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

/** The 32 bits from byte `at` on, 0 past the message's end. */
function lastBits(message: Uint8Array, at: number): number {
  let window = 0;
  for (let i = at; i < at + 4; i++) window = window << 8 | (i < message.length ? message[i]! : 0);
  return window;
}

/** into[positions[j]] += step · levels[j]. */
export function scatterLevels(
  positions: Uint32Array,
  levels: Int32Array,
  count: number,
  step: number,
  into: Float32Array,
): void {
  for (let j = 0; j < count; j++) into[positions[j]!]! += step * levels[j]!;
}
