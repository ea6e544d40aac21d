/** Random decisions. @module */

import { bits, type Key } from "../../../random.ts";

const word = new Uint32Array(1);

/** True with this probability, decided by the key: the same on all ranks that have it. */
export function coin(key: Key, probability: number): boolean {
  return bits(key, word)[0]! < probability * 2 ** 32;
}

/** An integer below `count`, decided by the key. */
export function below(key: Key, count: number): number {
  return Math.floor(bits(key, word)[0]! * 2 ** -32 * count);
}
