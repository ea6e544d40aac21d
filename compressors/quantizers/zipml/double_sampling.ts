import { show } from "../../../options.ts";
import { fold, type Key } from "../../../random.ts";
import { requireCall } from "../../check.ts";
import { compress, decompress } from "../../compress.ts";
import type { UnbiasedCompressor } from "../../compressor.ts";

/** A term (⟨row, x⟩ − target)² / 2 of a least-squares loss, and the point x where its gradient is wanted. */
export interface LeastSquaresTerm {
  /** The row of data, which is compressed. */
  readonly row: Float32Array;
  /** The number that the row is to predict. */
  readonly target: number;
  /** The point x. */
  readonly at: Float32Array;
}

/**
 * ZipML's double sampling: an unbiased estimate of the gradient row · (⟨row, at⟩ − target) from compressed data.
 *
 * One compressed row used twice would add the bias D · at, where D is the diagonal matrix of the variances of the row's numbers.
 * Two rows compressed independently, under keys folded from `key`, have no bias. The estimate is the mean of both orders.
 *
 * - Source: Zhang et al.: "ZipML", arXiv:1611.05402, section 2.
 * - Choose it for linear models whose data are stored or sent in few bits.
 *
 * @throws {RangeError} if row and at differ in length
 *
 * @example
 * ```ts
 * import { doubleSampling, key, stochasticLevels } from "@gradwire/tfjs";
 * const binary = stochasticLevels({ levels: 2 }), row = Float32Array.of(1, 0.5, 0), at = Float32Array.of(1, 1, 1);
 * const gradient = doubleSampling(binary, { row, target: 0, at }, key(1));
 * console.assert(gradient.length === 3 && gradient[2] === 0);
 * ```
 */
export function doubleSampling(
  compressor: UnbiasedCompressor,
  term: LeastSquaresTerm,
  key: Key,
): Float32Array {
  requireCall("sample twice", compressor, key);
  const { row, target, at } = term ?? {};
  if (!(row instanceof Float32Array && at instanceof Float32Array && typeof target === "number")) {
    throw new TypeError(`Cannot sample twice: the term is ${show(term)}, expected { row, target, at } of numbers`);
  }
  if (row.length !== at.length) {
    throw new RangeError(`Cannot sample twice: the row has ${row.length} numbers, expected ${at.length}`);
  }
  const [first, second] = [0, 1].map((i) => {
    const k = fold(key, i);
    return decompress(compressor, compress(compressor, row, k), k, row.length);
  }) as [Float32Array, Float32Array];
  const residual = (sample: Float32Array) => sample.reduce((sum, v, i) => sum + v * at[i]!, 0) - target;
  const one = residual(first), other = residual(second);
  return first.map((v, i) => (v * other + second[i]! * one) / 2);
}
