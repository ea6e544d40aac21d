/** Checks of a method's options, for callers whom the types do not reach. @module */

import { show } from "../../options.ts";
import { type Compressor, describe, isContractive, isUnbiased } from "../../compressors/compressor.ts";
import * as compressors from "../../compressors/factories.ts";
import { isCompressor } from "../../compressors/call.ts";
import { isStill, requireFiniteRate } from "./parts/rate.ts";
import type { Context, Method } from "./method.ts";

/** @throws {TypeError} unless it is a method; the message says what to write where something near to one was given */
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
  // An array has a reduce.
  if (typeof method?.init !== "function" || typeof method.reduce !== "function") {
    throw refuse(show(value), "a method such as average()");
  }
}

/** Methods that take a compressor, as one would write them. */
export function methodsOver(compressor: Compressor): string {
  const text = describe(compressor);
  const uses = [
    ...isContractive(compressor) ? [`errorFeedback(${text})`] : [],
    ...isUnbiased(compressor) ? [`average(${text})`, `diana(${text})`] : [],
  ];
  return uses.join(" or ") || `average(${text})`;
}

/** What a function is called, or a text calls: "topK" of `topK` and of "topK({ k: 3 })". */
function nameIn(value: unknown): { readonly name: string; readonly text: string } {
  const text = typeof value === "function" ? value.name : typeof value === "string" ? value.trim() : "";
  return { name: /^\w*/.exec(text)![0], text };
}

/** The model's parameters. @throws {TypeError} if the driver did not pass them */
export function requireParameters(what: string, { parameters }: Context): Float32Array {
  if (parameters === undefined) {
    throw new TypeError(`Cannot take a step of ${what}: the context has no parameters, expected the model's`);
  }
  return parameters;
}

/** The learning rate, 0 where it is 0 as a float32. @throws {TypeError} if there is none, for methods whose own update needs it */
export function requireRate(what: string, { learningRate }: Context): number {
  if (learningRate === undefined) {
    throw new TypeError(
      `Cannot take a step of ${what}: the context has no learning rate, expected that of an optimizer such as sgd(0.1)`,
    );
  }
  requireFiniteRate(`a step of ${what}`, learningRate);
  return isStill(learningRate) ? 0 : learningRate;
}
