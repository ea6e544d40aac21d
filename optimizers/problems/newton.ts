import { Matrix, solve } from "../../dependencies/ml_matrix.ts";

/** The derivatives of a convex function. */
interface Derivatives {
  /** into := the gradient at a point. */
  gradient(at: Float64Array, into: Float64Array): void;
  /** The second derivative at a point. */
  hessian(at: Float64Array): Matrix;
}

/**
 * The minimiser of a convex function of `size` numbers, by Newton's method from zero. A quadratic takes one step. A
 * step is halved while the gradient at its end is longer than at its start.
 */
export function newton(size: number, { gradient, hessian }: Derivatives): Float64Array {
  const x = new Float64Array(size), slope = new Float64Array(size);
  const normAt = (at: Float64Array) => {
    gradient(at, slope);
    return Math.hypot(...slope);
  };
  for (let norm = normAt(x), turn = 0; norm > 1e-14 && turn < 100; turn++) {
    const move = solve(hessian(x), Matrix.columnVector([...slope])).to1DArray();
    let share = 1, next = x.map((v, j) => v - move[j]!), after = normAt(next);
    while (after > norm && share > 1e-6) {
      share /= 2, next = x.map((v, j) => v - share * move[j]!), after = normAt(next);
    }
    if (!(after < norm)) break;
    x.set(next), norm = after;
  }
  return x;
}
