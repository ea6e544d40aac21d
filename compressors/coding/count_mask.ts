/**
 * COUNTMASK: the code of a set whose size is known, in the fewest bits there can be: log₂ C(size, count), and at most 2.
 *
 * Sequential arithmetic coding with the exact remaining counts: at each position "out" has probability (outs left) /
 * (positions left), so that every set of this size gets the same share of the interval. The 48-bit range coder is exact
 * in doubles: every number below is an integer under 2⁵³. Layout in FORMAT.md.
 *
 * @module
 */

import { refuse } from "./refuse.ts";
import { scratch } from "../kernels/scratch.ts";

const FULL = 2 ** 48, TOP = 2 ** 40;
const bytesOf = scratch(Uint8Array);

/** The most bits that a count-mask of `size` positions takes: log₂ C(size, count) ≤ size, rounding and the end. */
export function countMaskBitLength(size: number): number {
  return size + 8;
}

/**
 * Writes the set indices[0 .. count) ⊂ [0, size), ascending, to the bits of `message` from `bitAt` on, whose byte there
 * may hold bits before it. Returns the position after the last bit; the bits of its byte after that are 0.
 */
export function encodeCountMask(
  indices: Uint32Array,
  count: number,
  size: number,
  message: Uint8Array,
  bitAt: number,
): number {
  const bytes = bytesOf((size >>> 3) + 16);
  let low = 0, range = FULL, at = 0, ins = count, outs = size - count;
  for (let position = 0, next = 0; ins > 0 && outs > 0; position++) {
    const out = Math.floor(range / (ins + outs)) * outs;
    if (position === indices[next]) {
      next++, ins--;
      low += out, range -= out; // "in" takes what division left over
      if (low >= FULL) {
        low -= FULL;
        carry(bytes, at);
      }
    } else outs--, range = out;
    while (range < TOP) {
      const byte = Math.floor(low / TOP);
      bytes[at++] = byte;
      low = (low - byte * TOP) * 256, range *= 256;
    }
  }
  // The fewest bits that, whatever follows them, stay within [low, low + range).
  const bits = endBits(low, range), unit = 2 ** (48 - bits);
  let end = Math.ceil(low / unit) * unit;
  if (end >= FULL) {
    end -= FULL;
    carry(bytes, at);
  }
  const length = 8 * at + bits;
  for (let left = bits; left > 0; left -= 8) {
    const byte = Math.floor(end / TOP);
    bytes[at++] = byte;
    end = (end - byte * TOP) * 256;
  }
  const shift = bitAt & 7, start = bitAt >>> 3;
  if (shift === 0) message.set(bytes.subarray(0, at), start);
  else {
    let last = message[start]! & ~(255 >>> shift);
    for (let i = 0; i < at; i++) {
      message[start + i] = last | (bytes[i]! >>> shift);
      last = (bytes[i]! << (8 - shift)) & 255;
    }
    // A byte only if the last bits reach into it.
    if ((bitAt + length + 7 >>> 3) > start + at) message[start + at] = last;
  }
  return bitAt + length;
}

/**
 * Reads a set that {@linkcode encodeCountMask} wrote from `bitAt` on into indices[0 .. count) and returns the position
 * after its last bit.
 *
 * @throws {RangeError} if the message ends before, or its last bits are not those that an encoder chooses for the set
 */
export function decodeCountMask(
  message: Uint8Array,
  bitAt: number,
  count: number,
  size: number,
  indices: Uint32Array,
): number {
  const shift = bitAt & 7;
  let low = 0, code = 0, range = FULL, at = bitAt >>> 3, ins = count, outs = size - count, position = 0, next = 0;
  // Past the end of the message the bits are 0. `code` is what was read, less low; `low` is known modulo 2⁴⁸.
  let left = at < message.length ? message[at]! : 0;
  for (let i = 0; i < 6; i++) code = code * 256 + following();
  for (; ins > 0 && outs > 0; position++) {
    const out = Math.floor(range / (ins + outs)) * outs;
    if (code < out) outs--, range = out;
    else {
      indices[next++] = position, ins--;
      low += out, code -= out, range -= out;
      if (low >= FULL) low -= FULL;
    }
    while (range < TOP) {
      low = (low % TOP) * 256, range *= 256;
      code = code * 256 + following();
    }
  }
  for (; ins > 0; ins--) indices[next++] = position++;
  // Six bytes are read ahead.
  const bits = endBits(low, range), unit = 2 ** (48 - bits), end = 8 * (at - 6) + shift + bits;
  // Of the numbers of so many bits within the interval an encoder writes the least.
  if (Math.floor(((low + code) % FULL) / unit) * unit !== Math.ceil(low / unit) * unit % FULL) {
    refuse("an index set", "it does not end as an encoder ends it");
  }
  if (end > 8 * message.length) {
    refuse("an index set", `it ends after bit ${end}, the message has ${8 * message.length}`);
  }
  return end;

  function following(): number {
    const next = ++at < message.length ? message[at]! : 0, byte = ((left << shift) | (next >>> (8 - shift))) & 255;
    left = next;
    return byte;
  }
}

/** Adds 1 to the bytes before `at`, read as one number. */
function carry(bytes: Uint8Array, at: number): void {
  for (let i = at - 1; (bytes[i] = bytes[i]! + 1) === 256; i--);
}

/** The least n such that a multiple of 2^(48 − n) and all up to the next lie within [low, low + range). */
function endBits(low: number, range: number): number {
  for (let bits = 0, unit = FULL;; bits++, unit /= 2) {
    if (Math.ceil(low / unit) * unit + unit <= low + range) return bits;
  }
}
