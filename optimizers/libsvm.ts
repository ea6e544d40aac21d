/** The LIBSVM text format. @module */

/** Labelled rows of numbers; row i's non-zeros stand at starts[i]..starts[i + 1] of `indices` and `values`. */
export interface Rows {
  /** How many numbers a row has, zeros included. */
  readonly features: number;
  /** One for each row. */
  readonly labels: Float64Array;
  /** Where each row's non-zeros start, and behind them where the last row's end. */
  readonly starts: Uint32Array;
  /** The non-zeros' columns, from 0. */
  readonly indices: Uint32Array;
  /** The non-zeros. */
  readonly values: Float64Array;
}

/**
 * Reads LIBSVM text: a line a row, `label index:value …`, indices from 1 and ascending; `#` starts a comment.
 *
 * @param options.features how many numbers a row has; default: the largest index that occurs
 * @throws {SyntaxError} if a line is not of that form; the message names the line
 *
 * @example
 * ```ts
 * import { readLibsvm } from "@gradwire/tfjs/optimizers";
 * const { labels, indices, values } = readLibsvm("+1 1:0.5 3:2\n-1 2:1\n");
 * console.assert(labels.join() === "1,-1" && indices.join() === "0,2,1" && values.join() === "0.5,2,1");
 * ```
 */
export function readLibsvm(text: string, { features = 0 }: { readonly features?: number } = {}): Rows {
  const labels: number[] = [], starts = [0], indices: number[] = [], values: number[] = [];
  text.split("\n").forEach((line, at) => {
    const [label, ...entries] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (!label) return;
    const bad = (what: string): never => {
      throw new SyntaxError(
        `Cannot read LIBSVM line ${at + 1}: found ${JSON.stringify(what)}, expected "label index:value …"`,
      );
    };
    if (!Number.isFinite(Number(label))) bad(label);
    labels.push(Number(label));
    let last = 0;
    for (const entry of entries) {
      const [, index, value] = /^(\d+):(\S+)$/.exec(entry) ?? bad(entry);
      if (!(Number(index) > last) || !Number.isFinite(Number(value))) bad(entry);
      last = Number(index);
      indices.push(last - 1), values.push(Number(value));
    }
    if (last > features) features = last;
    starts.push(indices.length);
  });
  return {
    features,
    labels: Float64Array.from(labels),
    starts: Uint32Array.from(starts),
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  };
}
