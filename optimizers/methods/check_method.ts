/** Refusals of what is no method, for callers whom the types do not reach. @module */

import { show } from "../../options.ts";
import { type Compressor, describe, isContractive, isUnbiased } from "../../compressors/compressor.ts";
import * as compressors from "../../compressors/factories.ts";
import { isCompressor } from "../../compressors/check.ts";
import type { Method } from "./method.ts";

/**
 * @param doing what cannot be done with it, as the message says it: "make warmup"
 * @param name what the value is called there: "the method"
 * @throws {TypeError} unless it is a method. Where something near to a method was given, the message says what to write
 */
export function requireMethod(doing: string, name: string, method: Method): void {
  const value: unknown = method;
  const refuse = (given: string, expected: string) =>
    new TypeError(`Cannot ${doing}: ${name} is ${given}, expected ${expected}`);
  const { name: written, text } = nameIn(value);
  if (Object.hasOwn(compressors, written)) {
    const call = typeof value === "function" ? `${text}(…)` : text;
    const over = `errorFeedback(${call}) or average(${call})`;
    throw refuse(
      `${show(value)}, which names a compressor`,
      `a method: ${typeof value === "function" ? over : `parseMethod(${show(`errorFeedback(${call})`)})`}`,
    );
  }
  if (typeof value === "function") {
    throw refuse(show(value), `what it returns: call it, ${value.name || "average"}(…)`);
  }
  if (isCompressor(value)) {
    throw refuse(`${describe(value)}, which is a compressor`, `a method: ${methodsOver(value)}`);
  }
  if (typeof value === "string" && /^\w/.test(value)) throw refuse(show(value), `parseMethod(${show(value)})`);
  // An array has a function called reduce, too.
  if (typeof method?.init !== "function" || typeof method.reduce !== "function") {
    throw refuse(show(value), "a method such as average()");
  }
}

/** The methods over this compressor, as one would write them: "errorFeedback(topK({ k: 3 }))". */
export function methodsOver(compressor: Compressor): string {
  const text = describe(compressor);
  const uses = [
    ...isContractive(compressor) ? [`errorFeedback(${text})`] : [],
    ...isUnbiased(compressor) ? [`average(${text})`, `diana(${text})`] : [],
  ];
  return uses.join(" or ") || `average(${text})`;
}

/** The name of a function, or of what a text calls: "topK" for `topK` and for "topK({ k: 3 })"; and the text. */
function nameIn(value: unknown): { readonly name: string; readonly text: string } {
  const text = typeof value === "function" ? value.name : typeof value === "string" ? value.trim() : "";
  return { name: /^\w*/.exec(text)![0], text };
}
