/** What compressing and decompressing are called with. @module */

import type { Key } from "../random.ts";
import type { Compressor } from "./compressor.ts";
import { show } from "../options.ts";

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

/** Whether a value has what {@linkcode Compressor} asks for. */
export function isCompressor(value: unknown): value is Compressor {
  if (typeof value !== "object" || value === null) return false;
  const { name, options, maxByteLength, encode, decodeAdd } = value as Partial<Compressor>;
  return typeof name === "string" && typeof options === "object" && options !== null &&
    [maxByteLength, encode, decodeAdd].every((method) => typeof method === "function");
}

/**
 * What to write instead of what is no compressor.
 *
 * @param such an example of one that would do
 */
export function wanted(value: unknown, such = "identity()"): string {
  // An uncalled factory: `contractive(randK)`.
  if (typeof value === "function" && value.name !== "") return `${value.name}(…): call it`;
  if (typeof value === "string" && /^\w/.test(value)) return `parseCompressor(${show(value)})`;
  // `errorFeedback({ compressor: topK({ k: 3 }) })`.
  const within = Object.values(Object(value)).find(isCompressor);
  if (within !== undefined) return `${within.name}(…) itself, without an object around it`;
  return such;
}
