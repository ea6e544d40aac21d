/** How many numbers a sparsifier keeps. @module */

import { checkNumber, checkOptions, show } from "../../options.ts";

/** A number of entries, or their share of the vector. */
export type Count = { readonly k: number } | { readonly ratio: number };

/** Reads a {@linkcode Count} for the factory `what`: vector length → entries kept, at most all, at least 1 of a share. */
export function countOf(what: string, count: Count): (size: number) => number {
  const { k, ratio } = checkOptions<{ k?: number; ratio?: number }>(what, count as object, ["k", "ratio"]);
  if ((k === undefined) === (ratio === undefined)) {
    throw new TypeError(`Cannot make ${what}: k is ${show(k)} and ratio is ${show(ratio)}, expected one of the two`);
  }
  if (k !== undefined) {
    if (!(Number.isSafeInteger(k) && k >= 1)) {
      throw new RangeError(`Cannot make ${what}: k is ${show(k)}, expected an integer of at least 1`);
    }
    return (size) => Math.min(k, size);
  }
  checkNumber(what, "ratio", ratio!, (ratio) => ratio > 0 && ratio <= 1, "a number above 0, at most 1");
  return (size) => Math.min(size, Math.max(1, Math.floor(ratio! * size)));
}
