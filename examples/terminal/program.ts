/** What programs do with their arguments and their errors. @module */

import { parseArgs } from "@std/cli/parse_args.js";

/** Default of an option with a value: a text, nothing, or a list where it may be given several times. */
type Default = string | undefined | readonly string[];

/** The options of a program: those with a value, and those that are there or are not. */
type Options<Values extends Record<string, Default>, Flag extends string> =
  & { readonly [name in keyof Values]: Values[name] extends undefined ? string | undefined : Values[name] }
  & Readonly<Record<Flag | "help", boolean>>;

/**
 * Reads a program's options.
 *
 * @param values the options with a value, by their names without dashes, with their defaults
 * @param flags the options without a value; `help` is always one
 * @throws {RangeError} if the arguments name an option that the program does not have
 */
export function readOptions<Values extends Record<string, Default>, Flag extends string>(
  args: readonly string[],
  values: Values,
  flags: readonly Flag[],
): Options<Values, Flag> {
  const valued = Object.keys(values), known = [...valued, ...flags, "help"];
  const { _: _rest, ...read } = parseArgs([...args], {
    string: valued,
    boolean: [...flags, "help"],
    collect: valued.filter((name) => Array.isArray(values[name])),
    unknown(option: string): never {
      throw new RangeError(
        `Cannot read option ${option}: expected one of ${known.map((name) => `--${name}`).join(", ")}`,
      );
    },
  });
  return { ...values, ...read } as unknown as Options<Values, Flag>;
}

/**
 * The whole number that an option stands for.
 *
 * @throws {RangeError} if it is none, or below the least
 */
export function wholeNumber(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && text !== "") return value;
  throw new RangeError(`Cannot read --${name} ${text}: expected a whole number from ${least} on`);
}

/** Runs a program with its arguments. An error ends it with one line, and with the code that `codeOf` gives. */
export async function runProgram(
  main: (args: readonly string[]) => Promise<void>,
  codeOf: (error: Error) => number = () => 1,
): Promise<void> {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(error.message);
    Deno.exit(codeOf(error));
  }
}
