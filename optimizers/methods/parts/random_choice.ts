/** Random decisions, which all ranks that have the key make alike. @module */

import { bits, type Key } from "../../../random.ts";

const word = new Uint32Array(1);

/** True with this probability. */
export function bernoulli(key: Key, probability: number): boolean {
  return bits(key, word)[0]! < probability * 2 ** 32;
}

/** An integer from 0 to count − 1, each equally likely. */
export function randomInteger(key: Key, count: number): number {
  return Math.floor(bits(key, word)[0]! * 2 ** -32 * count);
}
