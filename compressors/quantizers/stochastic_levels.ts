import { checkInteger, checkOptions } from "../../options.ts";
import { byteLengthOf, eachChunk, readCodes, widthOf, writeCodes } from "../coding/fixed_width.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { readFloat, readScale, writeFloat } from "../coding/floats.ts";
import { clampFloat32, MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import type { Flattened } from "./dithering.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../coding/integer_model.ts";
import { addLevels, stochasticRound } from "../kernels/equal_levels.ts";
import { extremes, sumOfSquares } from "../kernels/sums.ts";
import { scratch } from "../kernels/scratch.ts";
import { bits } from "../../random.ts";

/** Options of {@linkcode stochasticLevels}. */
export interface StochasticLevelsOptions {
  /** How many values a number may become: 2 (stochastic binary) to 65536. */
  readonly levels: number;
}

/**
 * Stochastic k-level quantization: every number is rounded at random, without bias, to a neighbour among k equally spaced
 * levels from the least to the largest number of the vector. ⌈log₂ k⌉ bits a number (1.6 for k = 3, 2.67 for 5 and 6)
 * and 64.
 *
 * With step D between levels, E‖C(x) − x‖² = D² Σ frac(vᵢ)(1 − frac(vᵢ)), vᵢ = (xᵢ − least) / D; for k = 2 that is
 * Σ (largest − xᵢ)(xᵢ − least). ω = (d − 2) / (2 (k − 1)²), attained for even k by (1, −1, 0, …, 0). In
 * `rotated(stochasticLevels({ levels }))` it falls to (2 ln 2d + 2) / (k − 1)², or less than twice that where d is no
 * power of two.
 *
 * Source: Suresh, Yu, Kumar, McMahan: "Distributed mean estimation with limited communication", arXiv:1611.00429,
 * sections 2 and 3.
 *
 * @throws {RangeError} if levels is not an integer from 2 to 65536
 *
 * @example
 * ```ts
 * import { compress, decompress, key, stochasticLevels } from "@gradwire/tfjs";
 * const binary = stochasticLevels({ levels: 2 });
 * const message = compress(binary, Float32Array.of(3, -1, 3, 3, -1), key(1));
 * console.assert(message.length === 8 + 1);
 * console.assert(decompress(binary, message, key(1), 5).join() === "3,-1,3,3,-1"); // both values are levels
 * ```
 */
export function stochasticLevels(options: StochasticLevelsOptions): UnbiasedCompressor & Flattened {
  const { levels } = checkOptions("make stochasticLevels", options, ["levels"]);
  checkInteger("make stochasticLevels", "levels", levels, 2, 65536);
  const width = widthOf(levels), top = levels - 1;
  return {
    name: "stochasticLevels",
    options: { levels },
    omega: (size) => Math.max(0, size - 2) / (2 * top ** 2),
    omegaFlat: (_size, peak) => peak / top ** 2,
    maxByteLength: (size) => 8 + byteLengthOf(width, size),
    encode(vector, key, message) {
      const { least, most } = extremes(vector);
      writeFloat(least, message, 0);
      writeFloat(most, message, 4);
      if (least === most) return 8;
      const rate = top / (most - least);
      return writeCodes(width, vector.length, message, 8, (codes, from) => {
        bits(key, codes, from);
        stochasticRound(vector, from, rate, -rate * least, top, codes);
      });
    },
    decodeAdd(message, _key, scale, into) {
      const least = readFloat("stochasticLevels", message, 0), most = readFloat("stochasticLevels", message, 4);
      if (least > most) refuse("stochasticLevels", `the least number is ${least}, above the largest, ${most}`);
      if (least === most) {
        requireLength("stochasticLevels", message, 8);
        for (let i = 0; i < into.length; i++) into[i]! += scale * least;
        return;
      }
      requireLength("stochasticLevels", message, 8 + byteLengthOf(width, into.length));
      const origin = scale * least, step = scale * (most - least) / top;
      readCodes(width, into.length, message, 8, (codes, from) => addLevels(codes, origin, step, into, from));
    },
  };
}

/** Options of {@linkcode variableLength}. */
export interface VariableLengthOptions {
  /** k: the levels cover √2 times the norm of the vector. Default: ⌊√d⌋ + 1. */
  readonly levels?: number;
}

/**
 * Variable-length coding of Suresh et al.: as {@linkcode stochasticLevels}, but the step is √2 ‖x‖ / (k − 1), so that
 * with k = ⌊√d⌋ + 1 levels few numbers are far from the middle and an entropy coder sends 1.54 to 1.77 bits for each of a
 * gaussian vector (as 0 lies between levels) at E‖C(x) − x‖² = ‖x‖² / 3. ω = d / (2 (k − 1)²), about 1/2.
 *
 * Source: Suresh et al., arXiv:1611.00429, section 4 (arithmetic coding; here the adaptive range coder). Working memory:
 * 4 bytes a number.
 *
 * @throws {RangeError} if levels is not an integer from 2 to 65536
 *
 * @example
 * ```ts
 * import { compress, key, normal, variableLength } from "@gradwire/tfjs";
 * const message = compress(variableLength(), normal(key(1), new Float32Array(10_000)), key(2));
 * console.assert(8 * message.length < 18_500);
 * ```
 */
export function variableLength(options: VariableLengthOptions = {}): UnbiasedCompressor {
  const { levels } = checkOptions("make variableLength", options, ["levels"]);
  if (levels !== undefined) checkInteger("make variableLength", "levels", levels, 2, 65536);
  const topOf = (size: number) => (levels ?? Math.min(65536, Math.floor(Math.sqrt(size)) + 1)) - 1;
  const memory = scratch(Int32Array);
  return {
    name: "variableLength",
    options: levels === undefined ? {} : { levels },
    omega: (size) => size === 0 ? 0 : size / (2 * topOf(size) ** 2),
    maxByteLength: (size) => 8 + integersByteLength(size, topOf(size)),
    encode(vector, key, message) {
      const size = vector.length, top = topOf(size), { least } = extremes(vector);
      writeFloat(Math.min(Math.sqrt(sumOfSquares(vector)), MAX_FLOAT32), message, 0);
      const norm = readScale("variableLength", message, 0);
      if (norm === 0) return 4;
      writeFloat(least, message, 4);
      const rate = top / (Math.SQRT2 * norm), middle = middleOf(rate, least, top), values = memory(size);
      eachChunk(size, (codes, from) => {
        bits(key, codes, from);
        stochasticRound(vector, from, rate, -rate * least, top, codes);
      }, (codes, from) => {
        for (let i = 0; i < codes.length; i++) values[from + i] = codes[i]! - middle;
      });
      return encodeIntegers(values, top, message, 8);
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length, top = topOf(size), norm = readScale("variableLength", message, 0);
      if (norm === 0) return requireLength("variableLength", message, 4);
      const least = readFloat("variableLength", message, 4);
      if (Math.abs(least) > norm) refuse("variableLength", `its least number is ${least}, beyond the norm, ${norm}`);
      const rate = top / (Math.SQRT2 * norm), middle = middleOf(rate, least, top);
      const values = decodeIntegers(message, 8, top, memory(size));
      for (let i = 0; i < size; i++) {
        const level = middle + values[i]!;
        if (level < 0 || level > top) refuse("variableLength", `a level is ${level}, expected 0 to ${top}`);
      }
      for (let i = 0; i < size; i++) {
        // The level above the largest number may be no float32.
        const level = clampFloat32(least + (middle + values[i]!) / rate);
        into[i]! += scale * level;
      }
    },
  };
}

/** The level next to 0: what is sent are distances from it. Both ends compute it from what was sent. */
function middleOf(rate: number, least: number, top: number): number {
  return Math.max(0, Math.min(top, Math.floor(0.5 - rate * least)));
}
