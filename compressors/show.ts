/** How messages name what a caller passed, and what would do instead. @module */

import type { Compressor } from "./compressor.ts";

/** A value as a message names it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`);
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return isNamed(value) ? made(value) : "an object";
  return String(value);
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

/** What to write instead of what is no compressor. */
export function wanted(value: unknown): string {
  // An uncalled factory: `contractive(randK)`.
  if (typeof value === "function" && value.name !== "") return `${value.name}(…): call it`;
  if (typeof value === "string" && /^\w/.test(value)) return `parseCompressor(${show(value)})`;
  return "identity()";
}
