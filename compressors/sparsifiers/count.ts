/** How many numbers a sparsifier keeps. @module */

import { checkInteger, checkNumber, checkOptions, show } from "../../options.ts";

/** A number of entries, or their share of the vector. */
export type Count = { readonly k: number } | { readonly ratio: number };

/** Reads a {@linkcode Count} for the factory `what`: vector length → entries kept, at most all, at least 1 of a share. */
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
