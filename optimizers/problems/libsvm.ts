/** The LIBSVM text format. @module */

import { checkOptions, show } from "../../options.ts";

/** Labelled rows of numbers. The non-zeros of row i stand at starts[i]..starts[i + 1] of `indices` and `values`. */
export interface Rows {
  /** How many numbers a row has, zeros included. */
  readonly features: number;
  /** One for each row. */
  readonly labels: Float64Array;
  /** Where each row's non-zeros start, and as a last number where those of the last row end. */
  readonly starts: Uint32Array;
  /** The non-zeros' columns, from 0. */
  readonly indices: Uint32Array;
  /** The non-zeros. */
  readonly values: Float64Array;
}

/** The largest index, which counts from 1: columns, which count from 0, are 32-bit numbers. */
const MOST = 2 ** 32;

/** A decimal number. JavaScript's other numbers, as 0x10 and Infinity, are not part of the format. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads text in the LIBSVM format: one row a line, as `label index:value …`. Indices count from 1 and ascend in their
 * line. What follows a `#` is a comment, empty lines are passed over, and lines end with `\n` or `\r\n`.
 *
 * @param options.features how many numbers a row has; default: the largest index that occurs
 * @throws {SyntaxError} if a line is not of that form, or has a number that is not finite, a `qid`, or an index that
 * does not ascend, is beyond 2³² or beyond `features`; the message names the line
 * @throws {RangeError} if `features` is not an integer from 0 to 2³²
 * @throws {TypeError} if an option is unknown
 *
 * @example
 * ```ts
 * import { readLibsvm } from "@gradwire/tfjs/optimizers";
 * const { labels, indices, values } = readLibsvm("+1 1:0.5 3:2\n-1 2:1\n");
 * console.assert(labels.join() === "1,-1" && indices.join() === "0,2,1" && values.join() === "0.5,2,1");
 * ```
 */
export function readLibsvm(text: string, options: { readonly features?: number } = {}): Rows {
  checkOptions("read LIBSVM text", options, ["features"]);
  const most = options.features ?? MOST;
  if (!(Number.isInteger(most) && 0 <= most && most <= MOST)) {
    throw new RangeError(`Cannot read LIBSVM text: features is ${show(most)}, expected an integer from 0 to 2³²`);
  }
  if (typeof text !== "string") {
    throw new TypeError(`Cannot read LIBSVM text: the text is ${show(text)}, expected a string`);
  }
  const labels: number[] = [], starts = [0], indices: number[] = [], values: number[] = [];
  let features = 0;
  for (let from = 0, number = 1; from <= text.length; number++) {
    const end = text.indexOf("\n", from), line = text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length + 1 : end + 1;
    const hash = line.indexOf("#"), [label, ...entries] = (hash < 0 ? line : line.slice(0, hash)).trim().split(/\s+/);
    if (!label) continue;
    const bad = (found: string, why: string): never => {
      throw new SyntaxError(`Cannot read LIBSVM line ${number}: found ${JSON.stringify(found)}, ${why}`);
    };
    const numberOf = (text: string, found: string) => {
      if (!decimal.test(text)) bad(found, 'expected "label index:value …" with decimal numbers');
      return Number.isFinite(Number(text)) ? Number(text) : bad(found, "which is beyond the range of double precision");
    };
    labels.push(numberOf(label, label));
    let last = 0;
    for (const entry of entries) {
      const [, digits, value] = /^(\d+):(.+)$/.exec(entry) ?? bad(
        entry,
        /^qid:/.test(entry)
          ? "a query of ranking data, which no problem here is made of: expected index:value"
          : "expected index:value",
      );
      const index = Number(digits);
      if (index === 0) bad(entry, "expected indices that count from 1");
      if (index <= last) {
        bad(entry, `expected an index above ${last}, which stands before it: indices ascend in a line`);
      }
      if (index > most) bad(entry, `expected an index of at most ${most === MOST ? "2³²" : `features = ${most}`}`);
      values.push(numberOf(value!, entry)), indices.push(index - 1);
      last = index;
    }
    features = Math.max(features, last);
    starts.push(indices.length);
  }
  return {
    features: options.features ?? features,
    labels: Float64Array.from(labels),
    starts: Uint32Array.from(starts),
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  };
}
