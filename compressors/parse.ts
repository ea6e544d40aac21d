import type { Compressor } from "./compressor.ts";
import * as factories from "./factories.ts";
import { meant, show } from "../options.ts";

/** Factories by name. Their arguments are known only when a text is read, so each factory checks its own. */
export type Factories<T> = Readonly<Record<string, (...options: never[]) => T>>;

/** The most brackets in one another. No sensible call has as many, but a text from a stranger may. */
const DEEPEST = 64;

/**
 * Reads a call such as `topK({ k: 3 })`, `identity` or `bucketed(qsgd({ levels: 4 }), 512)`, and calls the factory that it
 * names. Arguments are numbers, strings, true, false, arrays, objects, and calls.
 *
 * @param text the call
 * @param table the factories that may be called
 * @param kind what they make, for the errors: "compressor"
 * @throws {SyntaxError} if the text is not such a call
 * @returns what the factory returns
 * @throws {RangeError} if the text names a factory that is not in the table; the message lists those that are
 * @throws whatever a factory throws at its arguments
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

  /** Yields once for each item from here, after an opening bracket, to `close`. */
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
        // An assignment to "__proto__" would set the object's prototype.
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
