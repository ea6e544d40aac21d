/**
 * Refuses options that a function does not have: a misspelt one would be left out without a word.
 *
 * @throws {TypeError} with the list of those it has
 */
export function checkKnown(doing: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`Cannot ${doing}: unknown option "${name}", known are ${known.join(", ")}`);
    }
  }
}
