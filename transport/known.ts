import { meant } from "../compressors/nearest.ts";
import { show } from "../compressors/show.ts";

/**
 * Refuses options that a function does not have: a misspelt one would be left out without a word.
 *
 * @throws {TypeError} with the list of those it has, also where the options are no object
 */
export function checkKnown(doing: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `Cannot ${doing}: the options are ${show(options)}, expected an object with some of ${known.join(", ")}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const list = known.join(", ");
      throw new TypeError(`Cannot ${doing}: unknown option "${name}", known are ${list}${meant(name, known)}`);
    }
  }
}
