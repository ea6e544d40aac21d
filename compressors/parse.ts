import type { Compressor } from "./compressor.ts";
import * as factories from "./factories.ts";
import { meant, show } from "../options.ts";

/** Factories by name. What they are called with is only known when the text is read, so they check it themselves. */
export type Factories<T> = Readonly<Record<string, (...options: never[]) => T>>;

/** No call is nested as deeply as this; texts are, that somebody sends. */
const DEEPEST = 64;

/**
 * Calls the factory that a text names, as one would write the call: `topK({ k: 3 })`, `identity`,
 * `bucketed(qsgd({ levels: 4 }), 512)`. Arguments are numbers, strings, true, false, arrays and objects of these, and calls.
 *
 * @param text the call
 * @param table the factories that may be called
 * @param kind what they make, for the errors: "compressor"
 * @throws {SyntaxError} if the text is not such a call
 * @throws {RangeError} if it names a factory that is not in the table; the message lists the known ones
 * @throws whatever the factory throws on its options
 *
 * @example
 * ```ts
 * import { parse } from "@gradwire/tfjs/compressors";
 * const table = { double: ({ of }: { of: number }) => 2 * of };
 * console.assert(parse("double({ of: double({ of: 2 }) })", table, "number") === 8);
 * ```
 */
export function parse<T>(text: string, table: Factories<T>, kind: string): T {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot read ${kind}: the text is ${show(text)}, expected a call such as "identity()"`);
  }
  const shown = show(text),
    tokens = text.match(/[A-Za-z_]\w*|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|"[^"]*"|'[^']*'|\S/g) ?? [];
  let at = 0, depth = 0;

  function fail(expected: string): never {
    const found = at < tokens.length ? JSON.stringify(tokens[at]) : "the end";
    throw new SyntaxError(`Cannot read ${kind} ${shown}: found ${found}, expected ${expected}`);
  }

  function take(token: string): boolean {
    if (tokens[at] !== token) return false;
    at++;
    return true;
  }

  /** Items between an open bracket, already taken, and `close`. */
  function* list(close: string): Generator<void> {
    if (++depth > DEEPEST) fail(`at most ${DEEPEST} brackets in one another`);
    while (!take(close)) {
      yield;
      if (!take(",") && tokens[at] !== close) fail(`"," or "${close}"`);
    }
    depth--;
  }

  function call(): T {
    const name = tokens[at] ?? fail("a name");
    if (!/^[A-Za-z_]/.test(name)) fail("a name");
    if (!Object.hasOwn(table, name)) {
      const known = Object.keys(table).sort(), list = known.join(", ");
      throw new RangeError(
        `Cannot read ${kind} ${shown}: there is no ${name}, expected one of ${list}${meant(name, known)}`,
      );
    }
    at++;
    const options: unknown[] = [];
    if (take("(")) { for (const _ of list(")")) options.push(value()); }
    return (table[name] as (...options: unknown[]) => T)(...options);
  }

  function value(): unknown {
    const token = tokens[at] ?? fail("a value");
    if (take("{")) {
      const object: Record<string, unknown> = {};
      for (const _ of list("}")) {
        const property = (tokens[at++] ?? fail("a property")).replace(/^["']|["']$/g, "");
        if (!take(":")) fail('":"');
        // Not by assignment: of "__proto__" that would make the object's prototype.
        Object.defineProperty(object, property, {
          value: value(),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return object;
    }
    if (take("[")) {
      const array: unknown[] = [];
      for (const _ of list("]")) array.push(value());
      return array;
    }
    if (/^["']/.test(token) && token.length > 1) return tokens[at++]!.slice(1, -1);
    if (/^[-+.\d]/.test(token) && Number.isFinite(Number(token))) return Number(tokens[at++]);
    if (token === "true" || token === "false") return tokens[at++] === "true";
    return call();
  }

  const result = call();
  if (at < tokens.length) fail("the end");
  return result;
}

/**
 * The compressor that a text names, see {@linkcode parse}.
 *
 * @throws {SyntaxError | RangeError} see {@linkcode parse}
 *
 * @example
 * ```ts
 * import { parseCompressor } from "@gradwire/tfjs/compressors";
 * console.assert(parseCompressor("identity").name === "identity");
 * ```
 */
export function parseCompressor(text: string): Compressor {
  return parse(text, factories as Factories<Compressor>, "compressor");
}
