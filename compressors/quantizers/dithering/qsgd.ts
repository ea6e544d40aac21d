import { checkInteger, checkOptions } from "../../../options.ts";
import type { UnbiasedCompressor } from "../../compressor.ts";
import { dithering } from "./dithering.ts";

/**
 * QSGD as its authors send it: {@linkcode dithering} by the Euclidean norm in Elias's code.
 *
 * - Guarantee: unbiased, ω as that of `dithering`; the paper's min(d / s², √d / s), for vectors of d numbers and s levels,
 *   is larger.
 * - Message: with one level about √d numbers are not 0 and take bits; with √d levels it takes about 2.9 bits a number.
 * - Source: Alistarh et al.: "QSGD", arXiv:1610.02132, section 3.
 * - Choose it for QSGD as published, in buckets of a few hundred numbers, which bound ω: `bucketed(qsgd({ levels: 4 }), 512)`.
 *
 * @throws {RangeError} if levels is not an integer from 1 to 65535
 *
 * @example
 * ```ts
 * import { compress, key, qsgd } from "@gradwire/tfjs";
 * const sparse = new Float32Array(1000).fill(1, 0, 10);
 * console.assert(compress(qsgd({ levels: 1 }), sparse, key(1)).length < 30);
 * ```
 */
export function qsgd(options: { readonly levels: number }): UnbiasedCompressor {
  const { levels } = checkOptions("make qsgd", options, ["levels"]);
  checkInteger("make qsgd", "levels", levels, 1, 65535);
  return { ...dithering({ levels, norm: "l2", coding: "elias" }), name: "qsgd", options: { levels } };
}
