import { checkInteger, checkOptions } from "../../options.ts";
import { bits } from "../../random.ts";
import { eachChunk } from "../coding/fixed_width.ts";
import { readFloat, readScale, writeFloat } from "../coding/floats.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../coding/integer_model.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { stochasticRound } from "../kernels/equal_levels.ts";
import { clampFloat32, MAX_FLOAT32 } from "../kernels/float32.ts";
import { scratch } from "../kernels/scratch.ts";
import { extremes, sumOfSquares } from "../kernels/sums.ts";

/** Options of {@linkcode variableLength}. */
export interface VariableLengthOptions {
  /** How many levels there are, k: 2 to 65536. Default ⌊√d⌋ + 1 for d numbers. */
  readonly levels?: number;
}

/**
 * Variable-length coding of Suresh et al.: numbers are rounded as by `stochasticLevels`, but the k levels cover √2 times the
 * norm of the vector, so that few numbers are far from the middle and an entropy code sends them in few bits.
 *
 * - Guarantee: unbiased with variance at most ω ‖x‖². For d numbers ω = d / (2 (k − 1)²), about 1/2 for the default k; on
 *   Gaussian vectors the variance is ‖x‖² / 3.
 * - Message: the norm and the least number as float32 and the levels in an adaptive range coder: 1.54 to 1.77 bits a number
 *   for a Gaussian vector, as 0 lies on a level or between two.
 * - Memory: 4 bytes a number.
 * - Source: Suresh et al., arXiv:1611.00429, section 4, which has arithmetic coding.
 * - Choose it to compare with the literature: `subtractiveDithering` takes fewer bits at the same ω.
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
        // The level above the largest number may exceed float32.
        const level = clampFloat32(least + (middle + values[i]!) / rate);
        into[i]! += scale * level;
      }
    },
  };
}

/** The level next to 0. Levels are sent as distances from it; both ends compute it from the norm and the least number sent. */
function middleOf(rate: number, least: number, top: number): number {
  return Math.max(0, Math.min(top, Math.floor(0.5 - rate * least)));
}
