/** Checks of what compressors and their factories are called with, for callers whom the types do not reach. @module */

import type { Key } from "../random.ts";
import {
  type Compressor,
  type ContractiveCompressor,
  describe,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "./compressor.ts";
import { show } from "../options.ts";

/** Whether a value has what {@linkcode Compressor} asks for. */
export function isCompressor(value: unknown): value is Compressor {
  if (typeof value !== "object" || value === null) return false;
  const { name, options, maxByteLength, encode, decodeAdd } = value as Partial<Compressor>;
  return typeof name === "string" && typeof options === "object" && options !== null &&
    [maxByteLength, encode, decodeAdd].every((method) => typeof method === "function");
}

/**
 * @param doing what cannot be done, as the message says it: "make bucketed", "compress"
 * @param such an example of a compressor that would do
 * @throws {TypeError} unless it is a compressor; the message says what to write where something near to one was given
 */
export function requireCompressor(doing: string, compressor: Compressor, such = "identity()"): void {
  if (isCompressor(compressor)) return;
  throw new TypeError(
    `Cannot ${doing}: the compressor is ${show(compressor)}, expected one such as ${wanted(compressor, such)}`,
  );
}

/** What to write instead of a value that is not a compressor. */
function wanted(value: unknown, such: string): string {
  // A factory that was not called: `contractive(randK)`.
  if (typeof value === "function" && value.name !== "") return `${value.name}(…): call it`;
  if (typeof value === "string" && /^\w/.test(value)) return `parseCompressor(${show(value)})`;
  // `errorFeedback({ compressor: topK({ k: 3 }) })`.
  const within = Object.values(Object(value)).find(isCompressor);
  return within === undefined ? such : `${within.name}(…) itself, without an object around it`;
}

/** @throws {TypeError} unless it is a compressor that declares an ω */
export function requireUnbiased(doing: string, compressor: Compressor): asserts compressor is UnbiasedCompressor {
  requireCompressor(doing, compressor, "randK({ ratio: 0.1 })");
  if (isUnbiased(compressor)) return;
  const text = describe(compressor);
  const induced = isContractive(compressor)
    ? `: wrap it, induced(${text}, unbiased), where unbiased is randK or another; or feed errors back, with ` +
      "errorFeedback or ef21"
    : " or induced(biased, unbiased)";
  throw new TypeError(
    `Cannot ${doing}: ${text} is not unbiased, expected a compressor with an omega, such as randK${induced}`,
  );
}

/** @throws {TypeError} unless it is a compressor that declares an α */
export function requireContractive(doing: string, compressor: Compressor): asserts compressor is ContractiveCompressor {
  requireCompressor(doing, compressor, "topK({ ratio: 0.1 })");
  if (isContractive(compressor)) return;
  const text = describe(compressor);
  const why = isUnbiased(compressor)
    ? `unbiased, not contractive, expected one with an alpha: wrap it, contractive(${text})`
    : "not contractive, expected a compressor with an alpha, such as topK or contractive(unbiased)";
  throw new TypeError(`Cannot ${doing}: ${text} is ${why}`);
}

/**
 * Checks a call of a compressor. A number in place of a key would be the same key for all numbers.
 *
 * @throws {TypeError} unless it is a compressor and a key
 */
export function requireCall(doing: string, compressor: Compressor, key: Key): void {
  requireCompressor(doing, compressor);
  if (!(Array.isArray(key) && key.length === 2 && key.every(Number.isInteger))) {
    throw new TypeError(
      `Cannot ${doing} with ${compressor.name}: the key is ${show(key)}, expected one such as key(1)`,
    );
  }
}
