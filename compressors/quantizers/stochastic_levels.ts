import { checkInteger, checkOptions } from "../../options.ts";
import { bits } from "../../random.ts";
import { byteLengthOf, readCodes, widthOf, writeCodes } from "../coding/fixed_width.ts";
import { readFloat, writeFloat } from "../coding/floats.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import type { FlatOmega, UnbiasedCompressor } from "../compressor.ts";
import { addLevels, stochasticRound } from "../kernels/equal_levels.ts";
import { extremes } from "../kernels/sums.ts";

/** Options of {@linkcode stochasticLevels}. */
export interface StochasticLevelsOptions {
  /** How many levels there are, k: 2 (stochastic binary) to 65536. */
  readonly levels: number;
}

/**
 * Stochastic k-level quantization: every number is rounded at random, without bias, to one of the two neighbours among k
 * equally spaced levels from the least to the largest number of the vector.
 *
 * With step the distance of two levels, vᵢ = (xᵢ − least) / step and frac(v) its fractional part, the variance is
 * step² Σ frac(vᵢ) (1 − frac(vᵢ)); for k = 2 it is Σ (largest − xᵢ)(xᵢ − least).
 *
 * - Guarantee: unbiased with variance at most ω ‖x‖². For d numbers ω = (d − 2) / (2 (k − 1)²), which (1, −1, 0, …, 0)
 *   reaches where k is even. In `rotated(stochasticLevels({ levels }))` it falls to (2 ln 2d + 2) / (k − 1)², or to less than
 *   twice that where d is no power of two.
 * - Message: the least and the largest number as float32 and ⌈log₂ k⌉ bits a number (1.6 for k = 3, 2.67 for 5 and 6, whose
 *   digits share bytes).
 * - Source: Suresh, Yu, Kumar, McMahan: "Distributed mean estimation with limited communication", arXiv:1611.00429, sections
 *   2 and 3.
 * - Choose it inside `rotated`, or alone where numbers do not lie around 0.
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
export function stochasticLevels(options: StochasticLevelsOptions): UnbiasedCompressor & FlatOmega {
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
