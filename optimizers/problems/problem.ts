/** Convex problems, where the optimum is known. @module */

import { EigenvalueDecomposition, Matrix, solve } from "../../dependencies/ml_matrix.ts";
import { checkChoice, checkNumber, checkOptions, show } from "../../options.ts";
import { checkRows } from "./check_rows.ts";
import type { Rows } from "./libsvm.ts";
import type { Constants } from "../methods/method.ts";

/** f(x) = (1/n) Σ fᵢ(x), one fᵢ a rank. */
export interface Problem {
  /** d, n, L, μ and the like, of which step sizes are made. */
  readonly constants: Constants;
  /** f(at). */
  loss(at: Float32Array): number;
  /** into := ∇fᵢ(at) for i = rank, or the mean gradient of the given terms of fᵢ, where it is a mean of terms. */
  gradient(rank: number, at: Float32Array, into: Float32Array, terms?: Uint32Array): void;
  /** How many terms fᵢ is a mean of; 1 where it is not a finite sum. */
  terms(rank: number): number;
  /** x*, where it is unique: solved to double precision when first asked for. */
  readonly minimiser: Float64Array;
}

/**
 * fᵢ(x) = ½ (x − bᵢ)ᵀ Aᵢ (x − bᵢ) with symmetric Aᵢ, given as rows.
 *
 * @throws {RangeError} if there is no part, or a part is of another size or not symmetric
 *
 * @example
 * ```ts
 * import { quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1]], b: [0] }, { a: [[3]], b: [4] }]);
 * console.assert(Math.abs(problem.minimiser[0]! - 3) < 1e-12 && problem.constants.largestSmoothness === 3);
 * ```
 */
export function quadratic(
  parts: readonly { readonly a: readonly (readonly number[])[]; readonly b: readonly number[] }[],
): Problem {
  checkQuadratic(parts);
  const size = parts[0]!.b.length, ranks = parts.length;
  const matrices = parts.map(({ a }) => new Matrix(a.map((row) => [...row])));
  let sum = Matrix.zeros(size, size), right = Matrix.zeros(size, 1);
  parts.forEach(({ b }, i) => {
    sum = Matrix.add(sum, matrices[i]!);
    right = Matrix.add(right, matrices[i]!.mmul(Matrix.columnVector([...b])));
  });
  return {
    constants: constantsOf(matrices, Matrix.mul(sum, 1 / ranks)),
    terms: () => 1,
    loss: (at) =>
      parts.reduce((total, { a, b }) => {
        const x = b.map((value, j) => at[j]! - value);
        return total + a.reduce((s, row, j) => s + x[j]! * row.reduce((t, v, k) => t + v * x[k]!, 0), 0) / 2;
      }, 0) / ranks,
    gradient(rank, at, into) {
      const { a, b } = parts[rank]!;
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += a[j]![k]! * (at[k]! - b[k]!);
        into[j] = sum;
      }
    },
    get minimiser(): Float64Array {
      return Float64Array.from(solve(sum, right).to1DArray());
    },
  };
}

/** Whether it is a list of matrices and vectors. */
function isParts(parts: unknown): boolean {
  return Array.isArray(parts) &&
    parts.every((part) => Array.isArray(part?.a) && part.a.every(isNumbers) && isNumbers(part.b));
}

/** Whether it is a list of numbers. */
function isNumbers(list: unknown): boolean {
  return (Array.isArray(list) || ArrayBuffer.isView(list)) &&
    Array.from(list as number[]).every((value) => typeof value === "number");
}

/** Refuses what is not quadratic: with an Aᵢ that is not symmetric, Aᵢ (x − bᵢ) is no gradient. */
function checkQuadratic(parts: Parameters<typeof quadratic>[0]): void {
  if (!isParts(parts)) {
    throw new TypeError(
      `Cannot make a quadratic: its parts are ${show(parts)}, expected an array of { a: rows of numbers, b: numbers }`,
    );
  }
  const size = parts[0]?.b.length ?? 0;
  if (size === 0) throw new RangeError("Cannot make a quadratic: there are no numbers, expected a part for each rank");
  parts.forEach(({ a, b }, rank) => {
    if (b.length !== size || a.length !== size || a.some((row) => row.length !== size)) {
      throw new RangeError(
        `Cannot make a quadratic: A of rank ${rank} has ${a.length} rows and b ${b.length} numbers, expected ${size} ` +
          `of each, and rows of ${size} numbers`,
      );
    }
    const largest = a.reduce(
      (most, row) => row.reduce((m, v) => Math.max(m, Number.isFinite(v) ? Math.abs(v) : 0), most),
      0,
    );
    a.forEach((row, j) =>
      row.forEach((v, k) => {
        if (Number.isFinite(v) && Math.abs(v - a[k]![j]!) <= 1e-9 * largest) return;
        throw new RangeError(
          `Cannot make a quadratic: A of rank ${rank} has ${v} at (${j}, ${k}) and ${
            a[k]![j]
          } at (${k}, ${j}), expected ` +
            "a symmetric matrix of finite numbers",
        );
      })
    );
  });
}

/** How the rows of a data set are given to the ranks. */
export interface SplitOptions {
  /** n, the number of ranks. Default 1. */
  readonly ranks?: number;
  /** "rows": in turn, so that all ranks see the same mix (default); "label": sorted by label, so that they differ. */
  readonly by?: "rows" | "label";
  /** λ of the term (λ/2)‖x‖². Default 0. */
  readonly lambda?: number;
}

/**
 * Ridge regression: fᵢ is the mean over rank i's rows of ½ (aᵀx − label)², plus (λ/2)‖x‖².
 *
 * @throws {RangeError} if there are fewer rows than ranks, the rows do not fit together or an option is out of range
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
  return linear("ridge", rows, options, {
    curvature: 1,
    loss: (z, label) => (z - label) ** 2 / 2,
    slope: (z, label) => z - label,
    bend: () => 1,
  });
}

/**
 * Logistic regression: fᵢ is the mean over rank i's rows of log(1 + exp(−label aᵀx)), plus (λ/2)‖x‖².
 *
 * Data sets write two classes as −1 and +1, 0 and 1, 1 and 2, 2 and 4: the lower label is taken for −1 and the other
 * for +1. Where there is one label only, it says which class it is by its sign: +1 if it is positive, else −1. Pass
 * such rows with labels ±1.
 *
 * @throws {RangeError} if there are three classes or more (the message names the third), fewer rows than ranks, the
 * rows do not fit together or an option is out of range
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
  return linear("logistic", signed, options, {
    curvature: 1 / 4,
    loss: (z, label) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(0, -label * z),
    slope: (z, label) => -label * sigmoid(-label * z),
    bend: (z) => sigmoid(z) * sigmoid(-z),
  });
}

/** φ(z, label) of a linear model, its first two derivatives in z, and the supremum of the second. */
interface Scalar {
  readonly curvature: number;
  loss(z: number, label: number): number;
  slope(z: number, label: number): number;
  bend(z: number, label: number): number;
}

function linear(name: string, rows: Rows, options: SplitOptions, scalar: Scalar): Problem {
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
  const order = Uint32Array.from(labels.keys());
  if (by === "label") order.sort((i, j) => labels[i]! - labels[j]! || i - j);
  const parts = Array.from(
    { length: ranks },
    (_, rank) =>
      by === "label"
        ? order.subarray(Math.floor(rank * order.length / ranks), Math.floor((rank + 1) * order.length / ranks))
        : order.filter((_, i) => i % ranks === rank),
  );

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
  /** (1/mᵢ) Σ weight(row) a aᵀ + λ I. */
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
  // The second derivative of a row's term is bend(z) a aᵀ + λ I, whose largest eigenvalue is at most curvature ‖a‖² +
  // λ.
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
      if (minimiser === undefined) {
        // Newton's method; one step for ridge regression. Halved while it overshoots.
        const x = new Float64Array(size), whole = new Float64Array(size);
        const slopeAt = (at: Float64Array) => {
          whole.fill(0);
          for (let rank = 0; rank < ranks; rank++) addGradient(rank, at).forEach((v, j) => whole[j]! += v / ranks);
          return Math.hypot(...whole);
        };
        for (let norm = slopeAt(x), turn = 0; norm > 1e-14 && turn < 100; turn++) {
          const hessian = mean(parts.map((_, rank) => gram(rank, (row) => scalar.bend(product(row, x), labels[row]!))));
          const move = solve(hessian, Matrix.columnVector([...whole])).to1DArray();
          let share = 1, next = x.map((v, j) => v - move[j]!), after = slopeAt(next);
          while (after > norm && share > 1e-6) {
            share /= 2, next = x.map((v, j) => v - share * move[j]!), after = slopeAt(next);
          }
          if (!(after < norm)) break;
          x.set(next), norm = after;
        }
        minimiser = x;
      }
      return minimiser;
    },
  };
}

function constantsOf(hessians: readonly Matrix[], mean: Matrix, convexity?: number): Constants {
  const spectrum = (matrix: Matrix) => new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues;
  // The smoothness is the largest magnitude: an eigenvalue may be negative where only the sum over ranks is convex.
  const smoothnessOf = (eigenvalues: number[]) => Math.max(...eigenvalues.map(Math.abs));
  const largest = hessians.map((hessian) => smoothnessOf(spectrum(hessian))), all = spectrum(mean);
  return {
    size: mean.rows,
    ranks: hessians.length,
    smoothness: smoothnessOf(all),
    largestSmoothness: Math.max(...largest),
    meanSquareSmoothness: Math.sqrt(largest.reduce((s, l) => s + l * l, 0) / largest.length),
    largestTermSmoothness: Math.max(...largest), // of a single term
    convexity: convexity ?? Math.max(0, Math.min(...all)),
  };
}
