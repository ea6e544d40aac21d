/** How many numbers a sparsifier keeps. @module */

import { checkInteger, checkNumber, checkOptions, show } from "../../options.ts";

/** How many numbers are kept: k of them, an integer of at least 1, or a share `ratio` of all, above 0 and at most 1. */
export type Count = { readonly k: number } | { readonly ratio: number };

/**
 * How many numbers the factory `what` keeps, as a function of how many there are: k, or max(1, ⌊ratio · size⌋), and at most
 * all.
 *
 * @throws {TypeError} unless one of k and ratio is given
 * @throws {RangeError} if it is out of its range
 */
export function countOf(what: string, count: Count): (size: number) => number {
  const { k, ratio } = checkOptions<{ k?: number; ratio?: number }>(`make ${what}`, count as object, ["k", "ratio"]);
  if ((k === undefined) === (ratio === undefined)) {
    throw new TypeError(`Cannot make ${what}: k is ${show(k)} and ratio is ${show(ratio)}, expected one of the two`);
  }
  if (k !== undefined) {
    checkInteger(`make ${what}`, "k", k, 1);
    return (size) => Math.min(k, size);
  }
  checkNumber(`make ${what}`, "ratio", ratio!, { above: 0, most: 1 });
  return (size) => Math.min(size, Math.max(1, Math.floor(ratio! * size)));
}
