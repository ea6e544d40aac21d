import { checkRows } from "./check_rows.ts";
import type { Rows } from "./libsvm.ts";
import { linearModel, type SplitOptions } from "./linear_model.ts";
import type { Problem } from "./problem.ts";

/**
 * Ridge regression: the loss fᵢ of rank i is the mean of ½ (aᵀx − label)² over its rows a, plus (λ/2)‖x‖².
 *
 * @param rows the data set, such as `readLibsvm` returns
 * @throws {RangeError} if there are fewer rows than ranks, the rows do not fit together, or an option is out of range
 * @throws {TypeError} if an option is unknown
 *
 * @example
 * ```ts
 * import { readLibsvm, ridge } from "@gradwire/tfjs/optimizers";
 * const { minimiser } = ridge(readLibsvm("2 1:1\n4 1:2\n"));
 * console.assert(Math.abs(minimiser[0]! - 2) < 1e-9);
 * ```
 */
export function ridge(rows: Rows, options: SplitOptions = {}): Problem {
  return linearModel("ridge", rows, options, {
    curvature: 1,
    loss: (z, label) => (z - label) ** 2 / 2,
    slope: (z, label) => z - label,
    bend: () => 1,
  });
}

/**
 * Logistic regression: the loss fᵢ of rank i is the mean of log(1 + exp(−label aᵀx)) over its rows a, plus (λ/2)‖x‖².
 *
 * Data sets write two classes as −1 and +1, 0 and 1, 1 and 2 or 2 and 4: the lower label is taken for −1 and the other
 * for +1. Where all rows have one label, it is taken for +1 if it is positive, else for −1.
 *
 * @param rows the data set, such as `readLibsvm` returns
 * @throws {RangeError} if there are three classes or more (the message names the third), fewer rows than ranks, the
 * rows do not fit together, or an option is out of range
 * @throws {TypeError} if an option is unknown
 *
 * @example
 * ```ts
 * import { logistic, readLibsvm } from "@gradwire/tfjs/optimizers";
 * const { minimiser } = logistic(readLibsvm("2 1:1\n1 1:-1\n"), { lambda: .1 });
 * console.assert(minimiser[0]! > 1);
 * ```
 */
export function logistic(rows: Rows, options: SplitOptions = {}): Problem {
  checkRows("make logistic", rows);
  const classes: number[] = [], sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  rows.labels.forEach((label, row) => {
    if (classes.includes(label)) return;
    if (classes.push(label) > 2) {
      throw new RangeError(
        `Cannot make logistic: row ${row} has the label ${label}, a third class beside ${classes[0]} and ${
          classes[1]
        }, expected two classes`,
      );
    }
  });
  const low = classes.length === 2 ? Math.min(...classes) : classes[0]! > 0 ? NaN : classes[0];
  const signed = { ...rows, labels: rows.labels.map((label) => label === low ? -1 : 1) };
  return linearModel("logistic", signed, options, {
    curvature: 1 / 4,
    loss: (z, label) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(0, -label * z),
    slope: (z, label) => -label * sigmoid(-label * z),
    bend: (z) => sigmoid(z) * sigmoid(-z),
  });
}
