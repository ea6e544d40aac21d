import type { Compressor } from "../../compressors/compressor.ts";
import * as compressors from "../../compressors/factories.ts";
import { type Factories, parse } from "../../compressors/parse.ts";
import { isNamed, show } from "../../options.ts";
import * as methods from "./factories.ts";
import type { Method } from "./method.ts";

/**
 * The method that a text names. The text is written as the call would be, and a call without arguments needs no
 * brackets: `errorFeedback(topK({ k: 3 }))`, `diana(identity)`.
 *
 * @throws {SyntaxError} if the text is not such a call
 * @throws {RangeError} if it names no method; the message lists the known ones
 * @throws {TypeError} if a compressor stands where a method must, or the method does not take the compressor; the
 * message says what to write
 *
 * @example
 * ```ts
 * import { parseMethod } from "@gradwire/tfjs/optimizers";
 * console.assert(parseMethod("average(identity)").name === "average");
 * ```
 */
export function parseMethod(text: string): Method {
  if (typeof text !== "string") {
    const made = typeof text === "object" && text !== null && isNamed(text) ? ", which need not be read" : "";
    throw new TypeError(
      `Cannot read method: the text is ${show(text)}${made}, expected a call such as "errorFeedback(topK({ k: 3 }))"`,
    );
  }
  const name = /^\s*(\w*)/.exec(text)![1]!;
  if (!Object.hasOwn(methods, name) && Object.hasOwn(compressors, name)) {
    const call = text.trim(), uses = [`errorFeedback(${call})`, `average(${call})`, `diana(${call})`];
    throw new TypeError(`Cannot read method "${call}": ${name} is a compressor, expected one of ${uses.join(", ")}`);
  }
  // An unknown name is refused with the list of methods alone, without the compressors they may be given.
  if (!Object.hasOwn(methods, name)) parse(name, methods as unknown as Factories<Method>, "method");
  const table = { ...compressors, ...methods } as unknown as Factories<Compressor | Method>;
  return parse(text, table, "method") as Method;
}
