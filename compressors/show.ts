/** How messages name what a caller passed, and what would do instead. @module */

import type { Compressor } from "./compressor.ts";

/** A value as a message names it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`);
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return isNamed(value) ? made(value) : instance(value);
  return String(value);
}

/** "a Float64Array", "a Promise", "a Sequential": of what has a class, its name, unless a bundler has shortened it. */
function instance(value: object): string {
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "Object" || !/^[A-Z]\w{2,}$/.test(name)) return "an object";
  // By how it is spoken: "an SGDOptimizer", "a Uint8Array".
  return `${/^(?:[AEIO]|S[A-Z])/.test(name) ? "an" : "a"} ${name}`;
}

/** A compressor or a method. */
type Made = { readonly name: string } & object;

/** Whether a value is a compressor or a method, by its looks. */
export function isNamed(value: object): value is Made {
  return "name" in value && typeof value.name === "string" && ("encode" in value || "reduce" in value);
}

function made(value: Made): string {
  return `the ${"encode" in value ? "compressor" : "method"} ${value.name}`;
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
