/** What compressing and decompressing are called with. @module */

import type { Key } from "../random.ts";
import type { Compressor } from "./compressor.ts";
import { isCompressor, show, wanted } from "./show.ts";

/**
 * Refuses what is no compressor or no key: a number for a key would be the same key for all numbers.
 *
 * @throws {TypeError} with what would do instead
 */
export function requireCall(doing: string, compressor: Compressor, key: Key): void {
  if (!isCompressor(compressor)) {
    throw new TypeError(
      `Cannot ${doing}: the compressor is ${show(compressor)}, expected one such as ${wanted(compressor)}`,
    );
  }
  if (!(Array.isArray(key) && key.length === 2 && key.every(Number.isInteger))) {
    throw new TypeError(
      `Cannot ${doing} with ${compressor.name}: the key is ${show(key)}, expected one such as key(1)`,
    );
  }
}
