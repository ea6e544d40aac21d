import { bits } from "../../../random.ts";
import { checkChoice, checkInteger, checkOptions } from "../../../options.ts";
import { readScale, writeFloat } from "../../coding/floats.ts";
import { requireLength } from "../../coding/refuse.ts";
import type { FlatOmega, UnbiasedCompressor } from "../../compressor.ts";
import { stochasticRound } from "../../kernels/equal_levels.ts";
import { MAX_FLOAT32 } from "../../kernels/float32.ts";
import { largest, sumOfSquares } from "../../kernels/sums.ts";
import { eliasLevels, entropyLevels, fixedLevels } from "./level_codes.ts";

const CODES = { fixed: fixedLevels, elias: eliasLevels, entropy: entropyLevels };

/** Options of {@linkcode dithering}. */
export interface DitheringOptions {
  /** How many equal steps lie between 0 and the norm: 1 to 65535. A number becomes one of 2 · levels + 1 values. */
  readonly levels: number;
  /** The norm that the levels divide: Euclidean, as in QSGD, or the largest magnitude. Default "l2". */
  readonly norm?: "l2" | "max";
  /**
   * How the levels are written. "fixed" (default): ⌈log₂(2 · levels + 1)⌉ bits a number, or 1.6 and 2.67 bits with 1 and 2
   * levels, whose digits share bytes. "elias": QSGD's code for sparse vectors, which has gaps and levels in Elias's omega code.
   * "entropy": an adaptive range coder, the shortest wherever levels are not equally likely; it takes 4 bytes of memory a
   * number.
   */
  readonly coding?: "fixed" | "elias" | "entropy";
}

/**
 * Standard (random) dithering: every magnitude is rounded at random, without bias, to one of the two neighbouring
 * multiples of N / s, where N is the norm of the vector and s the number of levels.
 *
 * With vᵢ = s |xᵢ| / N and frac(v) its fractional part, the variance is (N / s)² Σ frac(vᵢ) (1 − frac(vᵢ)).
 *
 * - Guarantee: unbiased with variance at most ω ‖x‖². For vectors of d numbers ω = √d / s − 1 where 2 s ≤ √d, else
 *   d / (4 s²), with the Euclidean norm; with the largest magnitude ω = (√(1 + (d − 1) / s²) − 1) / 2. The worst vector reaches
 *   ω, but for the rounding of how many of its numbers take each value.
 * - Message: N as float32, then the levels in the chosen coding.
 * - Source: Alistarh, Grubic, Li, Tomioka, Vojnovic: "QSGD", arXiv:1610.02132, section 3; Horváth et al., arXiv:1904.05115.
 * - Choose it to compare with the literature; `sparseDithering` and `subtractiveDithering` take fewer bits at the same ω.
 *
 * @throws {RangeError} if levels is not an integer from 1 to 65535
 * @throws {TypeError} if norm or coding is not one of those listed
 *
 * @example
 * ```ts
 * import { compress, decompress, dithering, key } from "@gradwire/tfjs";
 * const quantizer = dithering({ levels: 4, norm: "max" });
 * const message = compress(quantizer, Float32Array.of(1, -2, 3, -4), key(1));
 * console.assert(message.length === 4 + 2); // the norm, then 4 bits a number
 * console.assert(decompress(quantizer, message, key(1), 4).join() === "1,-2,3,-4"); // these lie on the levels
 * ```
 */
export function dithering(options: DitheringOptions): UnbiasedCompressor & FlatOmega {
  const doing = "make dithering";
  const { levels, norm = "l2", coding = "fixed" } = checkOptions(doing, options, ["levels", "norm", "coding"]);
  checkInteger(doing, "levels", levels, 1, 65535);
  checkChoice(doing, "norm", norm, ["l2", "max"]);
  checkChoice(doing, "coding", coding, Object.keys(CODES));
  const top = 2 * levels, code = CODES[coding](levels);
  return {
    name: "dithering",
    options: { levels, norm, coding },
    omega(size) {
      if (size === 0) return 0;
      if (norm === "max") return (Math.sqrt(1 + (size - 1) / levels ** 2) - 1) / 2;
      return 2 * levels <= Math.sqrt(size) ? Math.sqrt(size) / levels - 1 : size / (4 * levels ** 2);
    },
    omegaFlat: norm === "max" ? (_size, peak) => peak / (4 * levels ** 2) : undefined,
    maxByteLength: (size) => 4 + code.maxByteLength(size),
    encode(vector, key, message) {
      // A norm beyond float32 is sent as the largest float32: the levels still reach every number.
      const scale = norm === "max" ? largest(vector) : Math.min(Math.sqrt(sumOfSquares(vector)), MAX_FLOAT32);
      writeFloat(scale, message, 0);
      const sent = readScale("dithering", message, 0);
      if (sent === 0) return 4;
      return code.write(vector.length, message, (codes, from) => {
        bits(key, codes, from);
        stochasticRound(vector, from, levels / sent, levels, top, codes);
      });
    },
    decodeAdd(message, _key, scale, into) {
      const norm = readScale("dithering", message, 0), step = scale * norm / levels;
      const end = norm === 0 ? 4 : code.read(into.length, message, step, into);
      requireLength("dithering", message, end);
    },
  };
}
