import { checkChoice, checkInteger, checkOptions } from "../../options.ts";
import { byteLengthOf, readCodes, widthOf, writeCodes } from "../coding/fixed_width.ts";
import { requireLength } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { addValues } from "../kernels/given_levels.ts";
import { ditherToPowers } from "../kernels/powers_of_two.ts";
import { largest, sumOfSquares } from "../kernels/sums.ts";
import { bits } from "../../random.ts";

/** Options of {@linkcode naturalDithering}. */
export interface NaturalDitheringOptions {
  /** How many levels lie above 0: 1, 1/2, …, 2^(1 − levels) times the norm. 1 to 127; 3 take 3 bits a number, 7 take 4. */
  readonly levels: number;
  /** The norm that the levels divide: Euclidean, or the largest magnitude. Default "max". */
  readonly norm?: "l2" | "max";
}

/**
 * Natural dithering: every magnitude, relative to the norm of the vector, is rounded at random, without bias, to one of the
 * two neighbours among 0 and the powers of two 2^(1 − levels), …, 1/2, 1.
 *
 * - Guarantee: unbiased with variance at most ω ‖x‖². With l = 2^(1 − levels) the lowest level and d the number of numbers:
 *   for the largest magnitude ω = max(1/8, (√(1 + (d − 1) l²) − 1) / 2); for the Euclidean norm ω = 1/8 + 2 d l² / 9 where
 *   √d l ≤ 9/4, else √d l − 1. The paper's bound, 1/8 + √d l min(1, √d l), is larger.
 * - Message: the norm as float32 and ⌈log₂(2 · levels + 1)⌉ bits a number (1.6 for one level, 2.67 for two, whose digits
 *   share bytes).
 * - Source: Horváth et al.: "Natural compression", arXiv:1905.10988, section 5.
 * - Choose it in place of `dithering` where small numbers matter.
 *
 * @throws {RangeError} if levels is not an integer from 1 to 127
 * @throws {TypeError} if norm is not one of those listed
 *
 * @example
 * ```ts
 * import { compress, decompress, key, naturalDithering } from "@gradwire/tfjs";
 * const message = compress(naturalDithering({ levels: 3 }), Float32Array.of(1, -2, 0, 4), key(1));
 * console.assert(message.length === 4 + 2);
 * console.assert(decompress(naturalDithering({ levels: 3 }), message, key(1), 4).join() === "1,-2,0,4");
 * ```
 */
export function naturalDithering(options: NaturalDitheringOptions): UnbiasedCompressor {
  const { levels, norm = "max" } = checkOptions("make naturalDithering", options, ["levels", "norm"]);
  checkInteger("make naturalDithering", "levels", levels, 1, 127);
  checkChoice("make naturalDithering", "norm", norm, ["l2", "max"]);
  const width = widthOf(2 * levels + 1), lowest = 2 ** (1 - levels), values = new Float64Array(2 * levels + 1);
  return {
    name: "naturalDithering",
    options: { levels, norm },
    omega(size) {
      if (size === 0) return 0;
      if (norm === "max") return Math.max(1 / 8, (Math.sqrt(1 + (size - 1) * lowest ** 2) - 1) / 2);
      const q = Math.sqrt(size) * lowest;
      return q <= 9 / 4 ? 1 / 8 + 2 * q * q / 9 : q - 1;
    },
    maxByteLength: (size) => 4 + byteLengthOf(width, size),
    encode(vector, key, message) {
      const scale = norm === "max" ? largest(vector) : Math.min(Math.sqrt(sumOfSquares(vector)), MAX_FLOAT32);
      writeFloat(scale, message, 0);
      const sent = readScale("naturalDithering", message, 0);
      if (sent === 0) return 4;
      return writeCodes(width, vector.length, message, 4, (codes, from) => {
        bits(key, codes, from);
        ditherToPowers(vector, from, 1 / sent, levels, codes);
      });
    },
    decodeAdd(message, _key, scale, into) {
      const norm = readScale("naturalDithering", message, 0);
      if (norm === 0) return requireLength("naturalDithering", message, 4);
      requireLength("naturalDithering", message, 4 + byteLengthOf(width, into.length));
      for (let level = 1; level <= levels; level++) {
        values[levels + level] = scale * norm * 2 ** (level - levels);
        values[levels - level] = -values[levels + level]!;
      }
      readCodes(width, into.length, message, 4, (codes, from) => addValues(codes, values, 1, into, from));
    },
  };
}
