/** Linear models of a data set's rows, split over ranks. @module */

import { Matrix } from "../../dependencies/ml_matrix.ts";
import { checkChoice, checkNumber, checkOptions } from "../../options.ts";
import { checkRows } from "./check_rows.ts";
import { constantsOf } from "./constants.ts";
import type { Rows } from "./libsvm.ts";
import { newton } from "./newton.ts";
import type { Problem } from "./problem.ts";

/** How the rows of a data set are given to the ranks. */
export interface SplitOptions {
  /** The number of ranks. Default 1. */
  readonly ranks?: number;
  /** "rows" (default): in turn, so that the ranks' data are alike. "label": sorted by label, so that they differ. */
  readonly by?: "rows" | "label";
  /** λ of the regularising term (λ/2)‖x‖². Default 0. */
  readonly lambda?: number;
}

/** The loss φ(z, label) of one row, where z is what the model predicts for it. */
interface Scalar {
  /** The largest second derivative of φ in z. */
  readonly curvature: number;
  /** φ. */
  loss(z: number, label: number): number;
  /** The first derivative of φ in z. */
  slope(z: number, label: number): number;
  /** The second derivative of φ in z. */
  bend(z: number, label: number): number;
}

/**
 * The regularised mean of φ(aᵀx, label) over each rank's rows a.
 *
 * @param name what the problem is called, for the messages
 */
export function linearModel(name: string, rows: Rows, options: SplitOptions, scalar: Scalar): Problem {
  checkOptions(`make ${name}`, options, ["ranks", "by", "lambda"]);
  checkRows(`make ${name}`, rows);
  const { ranks = 1, by = "rows", lambda = 0 } = options;
  checkChoice(`make ${name}`, "by", by, ["rows", "label"]);
  checkNumber(`make ${name}`, "lambda", lambda, { least: 0 });
  const { features: size, labels, starts, indices, values } = rows;
  if (!(Number.isInteger(ranks) && 1 <= ranks && ranks <= labels.length)) {
    throw new RangeError(
      `Cannot split ${labels.length} rows: ranks is ${ranks}, expected an integer from 1 to ${labels.length}`,
    );
  }
  const parts = split(labels, ranks, by);
  const product = (row: number, at: ArrayLike<number>) => {
    let z = 0;
    for (let e = starts[row]!; e < starts[row + 1]!; e++) z += values[e]! * at[indices[e]!]!;
    return z;
  };
  const sum = new Float64Array(size);
  const addGradient = (rank: number, at: ArrayLike<number>, terms?: Uint32Array) => {
    const part = parts[rank]!, count = terms?.length ?? part.length;
    sum.fill(0);
    for (let t = 0; t < count; t++) {
      const row = part[terms ? terms[t]! : t];
      if (row === undefined) {
        throw new RangeError(
          `Cannot evaluate a gradient of ${name}: rank ${rank} has no term ${
            terms![t]
          }, expected one below ${part.length}`,
        );
      }
      const slope = scalar.slope(product(row, at), labels[row]!) / count;
      for (let e = starts[row]!; e < starts[row + 1]!; e++) sum[indices[e]!]! += slope * values[e]!;
    }
    for (let j = 0; j < size; j++) sum[j]! += lambda * at[j]!;
    return sum;
  };
  /** (1/m) Σ weight(row) a aᵀ + λ I over the m rows of a rank. */
  const gram = (rank: number, weight: (row: number) => number) => {
    const matrix = Matrix.mul(Matrix.eye(size), lambda), part = parts[rank]!;
    for (const row of part) {
      const w = weight(row) / part.length;
      for (let e = starts[row]!; e < starts[row + 1]!; e++) {
        for (let g = starts[row]!; g < starts[row + 1]!; g++) {
          matrix.set(indices[e]!, indices[g]!, matrix.get(indices[e]!, indices[g]!) + w * values[e]! * values[g]!);
        }
      }
    }
    return matrix;
  };
  const mean = (matrices: Matrix[]) => Matrix.mul(matrices.reduce((a, b) => Matrix.add(a, b)), 1 / ranks);
  const grams = parts.map((_, rank) => gram(rank, () => scalar.curvature));
  const constants = constantsOf(grams, mean(grams), scalar.curvature === 1 ? undefined : lambda);
  // A row's term has the second derivative bend(z) a aᵀ + λ I. Its largest eigenvalue is at most curvature ‖a‖² + λ.
  const largestTerm = labels.reduce((most, _, row) => {
    let squared = 0;
    for (let e = starts[row]!; e < starts[row + 1]!; e++) squared += values[e]! ** 2;
    return Math.max(most, scalar.curvature * squared + lambda);
  }, 0);
  let minimiser: Float64Array | undefined;
  return {
    constants: {
      ...constants,
      terms: parts.reduce((most, { length }) => Math.max(most, length), 0),
      largestTermSmoothness: largestTerm,
    },
    terms: (rank) => parts[rank]!.length,
    loss: (at) =>
      parts.reduce((total, part) => {
        let loss = 0;
        for (const row of part) loss += scalar.loss(product(row, at), labels[row]!);
        return total + loss / part.length / ranks;
      }, lambda / 2 * at.reduce((s, v) => s + v * v, 0)),
    gradient: (rank, at, into, terms) => into.set(addGradient(rank, at, terms)),
    get minimiser(): Float64Array {
      return minimiser ??= newton(size, {
        gradient(at, into) {
          into.fill(0);
          for (let rank = 0; rank < ranks; rank++) addGradient(rank, at).forEach((v, j) => into[j]! += v / ranks);
        },
        hessian: (x) => mean(parts.map((_, rank) => gram(rank, (row) => scalar.bend(product(row, x), labels[row]!)))),
      });
    },
  };
}

/** The rows of each rank: in turn, or sorted by label and cut into runs. */
function split(labels: Float64Array, ranks: number, by: "rows" | "label"): Uint32Array[] {
  const order = Uint32Array.from(labels.keys());
  if (by === "label") order.sort((i, j) => labels[i]! - labels[j]! || i - j);
  const cut = (rank: number) => Math.floor(rank * order.length / ranks);
  return Array.from(
    { length: ranks },
    (_, rank) => by === "label" ? order.subarray(cut(rank), cut(rank + 1)) : order.filter((_, i) => i % ranks === rank),
  );
}
