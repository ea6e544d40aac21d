import { checkInteger, checkOptions } from "../../options.ts";
import { Matrix, SVD } from "../../dependencies/ml_matrix.ts";
import { bits } from "../../random.ts";
import { addClamped, clampFloat32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import { waterLevel } from "../kernels/water_filling.ts";
import { refuse } from "../coding/refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode atomo}. */
export interface AtomoOptions {
  /** How many terms of the singular value decomposition are sent on average, s: 1 to 2³¹ − 1. */
  readonly rank: number;
  /**
   * How many columns the matrix has that the vector fills row by row; the last row may be short. 1 to 2³¹ − 1. Default ⌈√d⌉
   * for d numbers, nearly a square.
   */
  readonly columns?: number;
}

/**
 * Spectral ATOMO: the vector is taken as a matrix with the singular value decomposition Σ λⱼ uⱼ vⱼᵀ, and each term is kept with
 * probability pⱼ = min(1, λⱼ / t) and then divided by pⱼ, where t is such that s terms are kept on average.
 *
 * A matrix of rank s is sent exactly. A message is empty where no term was kept: to draw again would be biased.
 *
 * - Guarantee: unbiased with variance Σ λⱼ² (1/pⱼ − 1), the least for s terms, and at most ω ‖x‖² with
 *   ω = min(rows, columns) / s − 1, which matrices of equal singular values reach.
 * - Message: λⱼ uⱼ / pⱼ and vⱼ as float32 for each term kept, 32 (rows + columns) bits.
 * - Memory: the matrix and its decomposition by the library ml-matrix, which takes
 *   O(rows · columns · min(rows, columns)) steps.
 * - Source: Wang, Sievert, Liu, Charles, Papailiopoulos, Wright: "ATOMO: communication-efficient learning via atomic
 *   sparsification", arXiv:1806.04090.
 * - Choose it where matrices are nearly of low rank and a singular value decomposition is affordable; give each weight matrix
 *   its own shape by {@linkcode perTensor}.
 *
 * @throws {RangeError} by encode, if the vector is not finite; unless rank and columns are integers from 1 to 2³¹ − 1
 *
 * @example
 * ```ts
 * import { atomo, compress, decompress, key } from "@gradwire/tfjs";
 * const c = atomo({ rank: 1, columns: 2 }), x = Float32Array.of(1, 2, 2, 4, 3, 6); // of rank 1
 * const y = decompress(c, compress(c, x, key(1)), key(1), 6);
 * console.assert(y.every((value, i) => Math.abs(value - x[i]!) < 1e-5));
 * ```
 */
export function atomo(options: AtomoOptions): UnbiasedCompressor {
  const { rank, columns } = checkOptions("make atomo", options, ["rank", "columns"]);
  checkInteger("make atomo", "rank", rank, 1, 2 ** 31 - 1);
  if (columns !== undefined) checkInteger("make atomo", "columns", columns, 1, 2 ** 31 - 1);
  const shapeOf = (size: number) => {
    const width = Math.max(1, Math.min(size, columns ?? Math.ceil(Math.sqrt(size))));
    return { width, height: Math.ceil(size / width) };
  };
  const valuesOf = scratch(Float32Array), termsOf = scratch(Float32Array), sumOf = scratch(Float32Array);
  const most = (size: number) => Math.min(shapeOf(size).width, shapeOf(size).height);
  return {
    name: "atomo",
    options: columns === undefined ? { rank } : { rank, columns },
    omega: (size) => Math.max(0, most(size) / rank - 1),
    maxByteLength: (size) => 4 * (shapeOf(size).width + shapeOf(size).height) * most(size),
    encode(vector, key, message) {
      const size = vector.length, { width, height } = shapeOf(size);
      const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (largest === 0) return 0;
      if (!Number.isFinite(sumOfSquares(vector))) {
        throw new RangeError("Cannot compress with atomo: the vector is not finite, and has no singular values");
      }
      // Scaled to at most 1, so that squares within the decomposition do not overflow.
      const matrix = new Matrix(height, width);
      for (let i = 0; i < size; i++) matrix.set(Math.floor(i / width), i % width, vector[i]! / largest);
      const { leftSingularVectors, rightSingularVectors, diagonal } = new SVD(matrix, { autoTranspose: true });
      const count = Math.min(width, height), values = valuesOf(count);
      for (let j = 0; j < count; j++) values[j] = Math.abs(diagonal[j]!);
      const level = waterLevel(values, rank), random = bits(key, new Uint32Array(count));
      const view = new DataView(message.buffer, message.byteOffset, message.length);
      let at = 0;
      for (let j = 0; j < count; j++) {
        const value = values[j]!;
        if (value === 0 || random[j]! * 2 ** -32 * level >= value) continue;
        // λ / p, with λ in double and p from the float32 that the draw has used.
        const weight = diagonal[j]! * Math.max(1, level / value) * largest;
        for (let i = 0; i < height; i++, at += 4) {
          const entry = weight * leftSingularVectors.get(i, j);
          view.setFloat32(at, clampFloat32(entry), true);
        }
        for (let i = 0; i < width; i++, at += 4) view.setFloat32(at, rightSingularVectors.get(i, j), true);
      }
      return at;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length, { width, height } = shapeOf(size), length = width + height;
      const count = size === 0 ? 0 : message.length / (4 * length);
      if (!Number.isInteger(count) || count > most(size) || (size === 0 && message.length > 0)) {
        refuse("atomo", `the message has ${message.length} bytes, expected at most ${most(size)} times ${4 * length}`);
      }
      const view = new DataView(message.buffer, message.byteOffset, message.length);
      const term = termsOf(length), sum = sumOf(size).fill(0);
      for (let j = 0, at = 0; j < count; j++) {
        for (let i = 0; i < length; i++, at += 4) {
          const value = view.getFloat32(at, true);
          if (!Number.isFinite(value)) refuse("atomo", `a value is ${value}, expected a finite number`);
          // Right singular vectors have length 1.
          if (i >= height && Math.abs(value) > 1.001) refuse("atomo", `an entry of a unit vector is ${value}`);
          term[i] = value;
        }
        for (let row = 0, i = 0; row < height; row++) {
          const weight = term[row]!;
          for (let column = height; column < length && i < size; column++, i++) {
            // Held within float32, so that no difference of two infinities arises.
            sum[i] = clampFloat32(sum[i]! + weight * term[column]!);
          }
        }
      }
      addClamped(sum, 1, scale, into);
    },
  };
}
