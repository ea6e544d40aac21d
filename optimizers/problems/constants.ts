import { EigenvalueDecomposition, type Matrix } from "../../dependencies/ml_matrix.ts";
import type { Constants } from "../methods/method.ts";

/**
 * The constants of f = (1/n) Σ fᵢ.
 *
 * @param hessians the second derivative of each fᵢ, or a bound of it
 * @param mean that of f
 * @param convexity the μ of f, where the smallest eigenvalue of `mean` is none
 */
export function constantsOf(hessians: readonly Matrix[], mean: Matrix, convexity?: number): Constants {
  const spectrum = (matrix: Matrix) => new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues;
  // The largest magnitude: an eigenvalue may be negative, for only the sum over ranks has to be convex.
  const smoothnessOf = (eigenvalues: number[]) => Math.max(...eigenvalues.map(Math.abs));
  const largest = hessians.map((hessian) => smoothnessOf(spectrum(hessian))), all = spectrum(mean);
  return {
    size: mean.rows,
    ranks: hessians.length,
    smoothness: smoothnessOf(all),
    largestSmoothness: Math.max(...largest),
    meanSquareSmoothness: Math.sqrt(largest.reduce((s, l) => s + l * l, 0) / largest.length),
    largestTermSmoothness: Math.max(...largest), // each fᵢ is one term
    convexity: convexity ?? Math.max(0, Math.min(...all)),
  };
}
