/** The fast Walsh–Hadamard transform and random signs. @module */

import { bits, type Key } from "../../random.ts";

/** So many numbers are transformed as far as they go by themselves before the next ones: they fit a first level cache of 32 KiB. */
const BLOCK = 8192;

/**
 * Replaces `size` numbers from index `start` on, a power of two, by their Walsh–Hadamard transform without its factor
 * 1/√size. Done twice it multiplies by `size`. Every sum is rounded to float32, in the order of the radix-2 algorithm from
 * the smallest distance between partners to the largest; two of its stages are done at a time.
 */
export function hadamard(data: Float32Array, start: number, size: number): void {
  const block = Math.min(size, BLOCK), end = start + size;
  for (let from = start; from < end; from += block) stages(data, from, from + block, 1, block);
  if (size > block) stages(data, start, end, block, size);
}

/** The stages whose partners are `distance`, 2 · distance, … apart, up to but not including `limit`. */
function stages(data: Float32Array, start: number, end: number, distance: number, limit: number): void {
  // Of an odd number of stages one is done alone.
  if ((31 - Math.clz32(limit / distance)) % 2 === 1) {
    for (let i = start; i < end; i += 2 * distance) {
      for (let a = i, b = i + distance; a < i + distance; a++, b++) {
        const x = data[a]!, y = data[b]!;
        data[a] = x + y;
        data[b] = x - y;
      }
    }
    distance *= 2;
  }
  const { fround } = Math;
  for (; distance < limit; distance *= 4) {
    for (let i = start; i < end; i += 4 * distance) {
      const last = i + distance;
      for (let a = i, b = last, c = b + distance, d = c + distance; a < last; a++, b++, c++, d++) {
        const p = data[a]!, q = data[b]!, r = data[c]!, s = data[d]!;
        const sum = fround(p + q), difference = fround(p - q), other = fround(r + s), last = fround(r - s);
        data[a] = sum + other;
        data[b] = difference + last;
        data[c] = sum - other;
        data[d] = difference - last;
      }
    }
  }
}

const words = new Uint32Array(256);

/**
 * Multiplies `size` numbers from index `start` on by `factor`, and the i-th of them by −1 where bit i of the key's stream is
 * 1. The bits of a word are taken from the most significant on.
 */
export function flipSigns(key: Key, data: Float32Array, start: number, size: number, factor: number): void {
  for (let from = 0; from < size; from += 32 * words.length) {
    const end = start + Math.min(size, from + 32 * words.length);
    bits(key, words, from >>> 5);
    for (let i = start + from, w = 0; i < end; w++) {
      const most = Math.min(end, i + 32);
      for (let word = words[w]! | 0; i < most; i++, word <<= 1) {
        // 1 − 2 · (the top bit): a branch would be mispredicted.
        data[i] = (1 + 2 * (word >> 31)) * factor * data[i]!;
      }
    }
  }
}
