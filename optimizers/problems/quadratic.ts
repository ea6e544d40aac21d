import { Matrix, solve } from "../../dependencies/ml_matrix.ts";
import { show } from "../../options.ts";
import { constantsOf } from "./constants.ts";
import type { Problem } from "./problem.ts";

/**
 * A quadratic: the loss of rank i is fᵢ(x) = ½ (x − bᵢ)ᵀ Aᵢ (x − bᵢ), with a symmetric Aᵢ.
 *
 * @param parts A, as rows, and b of each rank
 * @throws {TypeError} if they are no matrices and vectors of numbers
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

/** Refuses parts that make no quadratic: with an Aᵢ that is not symmetric, Aᵢ (x − bᵢ) is no gradient. */
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
