import { show } from "../../options.ts";
import type { Rows } from "./libsvm.ts";

/**
 * Refuses rows that do not fit together, as those of {@linkcode readLibsvm} always do. An index beyond the features
 * would be left out of gradients, and a number that is not finite would spread over all of them.
 *
 * @throws {RangeError} naming the row, counted from 0
 * @throws {TypeError} if they are no rows
 */
export function checkRows(doing: string, rows: Rows): void {
  const { features, labels, starts, indices, values } = rows ?? {};
  if (![labels, starts, indices, values].every((list) => ArrayBuffer.isView(list) || Array.isArray(list))) {
    throw new TypeError(`Cannot ${doing}: the rows are ${show(rows)}, expected what readLibsvm returns`);
  }
  const refuse = (what: string): never => {
    throw new RangeError(`Cannot ${doing}: ${what}`);
  };
  if (!(Number.isInteger(features) && 0 <= features && features <= 2 ** 32)) {
    refuse(`the rows have ${show(features)} features, expected an integer from 0 to 2³²`);
  }
  if (labels.length === 0) refuse("there are no rows, expected at least one");
  if (starts.length !== labels.length + 1 || starts[0] !== 0 || starts.at(-1) !== indices.length) {
    refuse(
      `starts has ${starts.length} numbers from ${starts[0]} to ${starts.at(-1)}, expected ${
        labels.length + 1
      } from 0 to ${indices.length}, one for each row and the end`,
    );
  }
  if (values.length !== indices.length) refuse(`there are ${values.length} values for ${indices.length} indices`);
  labels.forEach((label, row) => {
    if (!Number.isFinite(label)) refuse(`row ${row} has the label ${label}, expected a finite number`);
    if (!(starts[row]! <= starts[row + 1]!)) refuse(`row ${row} ends before it starts`);
    for (let e = starts[row]!; e < starts[row + 1]!; e++) {
      if (!(indices[e]! < features)) refuse(`row ${row} has index ${indices[e]}, expected one below ${features}`);
      if (!Number.isFinite(values[e]!)) refuse(`row ${row} holds ${values[e]}, expected finite numbers`);
    }
  });
}
