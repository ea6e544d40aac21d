import { checkBoolean, checkChoice, checkNumber, checkOptions } from "../../../options.ts";
import type { Compressor, ContractiveCompressor, UnbiasedCompressor } from "../../compressor.ts";
import { entropyCode } from "./sparse_entropy_code.ts";
import { paperCode } from "./sparse_paper_code.ts";

/** How {@linkcode sparseDithering} rounds, and how finely. */
export interface SparseDitheringOptions {
  /**
   * ν, which sets the step 2 ‖x‖ √(ν / d) for d numbers: at least 1e-9, and below 1 where rounding to nearest. The squared
   * error is at most ν ‖x‖² to nearest, and at random on average for ν ≤ 1. Default 0.25 at random and 0.1 to nearest, as in
   * the paper's experiments.
   */
  readonly nu?: number;
  /** "random" (default) is unbiased, "nearest" contractive in every draw. */
  readonly rounding?: "random" | "nearest";
  /** "paper" (default) is the paper's code; "entropy" has adaptive models and is shorter, except for few or very sparse numbers. */
  readonly coding?: "paper" | "entropy";
  /**
   * "float32" (default) sends the step in full. "log" sends it in one byte, rounded down to one of four values an octave
   * between 2⁻⁴⁵ and 2¹⁸, and outside of these in five; finer steps cost at most a third of a bit a number.
   */
  readonly scale?: "float32" | "log";
  /**
   * Whether levels are decoded to the mean of the numbers that were rounded to them, for four more bytes. Only with coding
   * "entropy" and rounding "nearest". Default false.
   */
  readonly centroids?: boolean;
  /**
   * λ of rate–distortion optimised rounding: 0 (default) rounds each number by itself; above that, up to 100, all numbers
   * are rounded jointly, on a trellis of 8 states in half of which the levels are shifted by half a step, so that
   * squared error + λ · 2 ln 2 · D · bits is least, D being the error of a fine trellis. 1 is the slope of the ideal
   * rate–distortion curve; larger values send fewer bits at more error, never above ν. Only with coding "entropy" and rounding
   * "nearest".
   */
  readonly rateDistortion?: number;
}

/**
 * Sparse dithering: every number is rounded to a multiple of the step 2 ‖x‖ √(ν / d), for d numbers, at random without bias
 * or to nearest.
 *
 * With vᵢ = |xᵢ| / step and frac(v) its fractional part, the variance of rounding at random is step² Σ frac(vᵢ) (1 − frac(vᵢ)).
 * Decoded magnitudes beyond float32 are held to it, and vectors whose step would be below 2⁻¹²⁶ are rounded to multiples of
 * that.
 *
 * - Guarantee: at random, unbiased with variance at most ω ‖x‖², ω = ν for ν ≤ 1 and 2 √ν − 1 above. To nearest, contractive,
 *   ‖C(x) − x‖² ≤ α ‖x‖² in every draw, with α = ν; the error is about ν / 3 on spread-out vectors.
 * - Message: the step, which numbers are 0, and for each other number a sign and its level in unary. In the paper's code that
 *   is at most d (log₂ 3 + 1 / 2√ν) + log₂ d + 33 bits on average at random, and 2.4 bits a number for a Gaussian vector at
 *   ν = 0.25. In the entropy code, rounding to nearest with `centroids` takes 0.26 bits a number more than the limit
 *   ½ log₂(1/error) of a Gaussian vector, where no scalar rounding is within 0.25 of it for errors below 0.25; with
 *   `rateDistortion: 1` it takes 0.08 more for errors of 0.05 to 0.4. Gradients of networks, heavy-tailed and clustered, take
 *   far less.
 * - Memory: 8 bytes a number.
 * - Source: Albasyoni, Safaryan, Condat, Richtárik: "Optimal gradient compression for distributed and federated learning",
 *   arXiv:2010.03246, section 4.
 * - Choose it first: it is fast (a million numbers in about 35 ms, back in 26), and its length follows the vector. For
 *   `errorFeedback` begin with ν = 1/2 to nearest.
 *
 * @throws {RangeError} unless ν ≥ 1e-9, and ν < 1 where rounding to nearest
 *
 * @example
 * ```ts
 * import { compress, decompress, key, sparseDithering } from "@gradwire/tfjs";
 * const nearest = sparseDithering({ nu: 0.1, rounding: "nearest" }), x = Float32Array.of(1, -2, 3, -4);
 * const message = compress(nearest, x, key(1));
 * console.assert(message.length === 6); // 44 bits for 128
 * console.assert(decompress(nearest, message, key(1), 4).every((value, i) => Math.abs(value - x[i]!) < 0.9));
 * ```
 */
export function sparseDithering(
  options: SparseDitheringOptions & { readonly rounding: "nearest" },
): ContractiveCompressor;
/** Rounded at random: unbiased. */
export function sparseDithering(
  options?: SparseDitheringOptions & { readonly rounding?: "random" },
): UnbiasedCompressor;
/** Rounded as an option says that is only known when the program runs. */
export function sparseDithering(options?: SparseDitheringOptions): UnbiasedCompressor | ContractiveCompressor;
export function sparseDithering(
  options: SparseDitheringOptions = {},
): UnbiasedCompressor | ContractiveCompressor {
  const doing = "make sparseDithering";
  checkOptions(doing, options, ["nu", "rounding", "coding", "scale", "centroids", "rateDistortion"]);
  const { rounding = "random", coding = "paper", scale = "float32", centroids = false, rateDistortion = 0 } = options;
  const nearest = rounding === "nearest", { nu = nearest ? 0.1 : 0.25 } = options;
  checkChoice(doing, "rounding", rounding, ["random", "nearest"]);
  checkNumber(doing, "nu", nu, nearest ? { least: 1e-9, below: 1, note: "where nearest contracts" } : { least: 1e-9 });
  checkChoice(doing, "coding", coding, ["paper", "entropy"]);
  checkChoice(doing, "scale", scale, ["float32", "log"]);
  checkBoolean(doing, "centroids", centroids);
  checkNumber(doing, "rateDistortion", rateDistortion, { least: 0, most: 100 });
  if ((centroids || rateDistortion > 0) && !(coding === "entropy" && nearest)) {
    throw new RangeError(
      `Cannot ${doing}: centroids or rateDistortion is given, expected coding "entropy" and rounding "nearest", ` +
        `not ${coding} and ${rounding}`,
    );
  }
  const code = { nu, rounding, scale };
  const compressor: Compressor = {
    name: "sparseDithering",
    options: { nu, rounding, ...options },
    ...(coding === "paper" ? paperCode(code) : entropyCode({ ...code, centroids, rateDistortion })),
  };
  return nearest
    ? { ...compressor, alpha: () => nu, everyDraw: true }
    : { ...compressor, omega: () => nu <= 1 ? nu : 2 * Math.sqrt(nu) - 1 };
}
