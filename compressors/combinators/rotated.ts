import { checkInteger, checkOptions } from "../../options.ts";
import { requireCompressor } from "../check.ts";
import {
  type Compressor,
  type ContractiveCompressor,
  type FlatOmega,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "../compressor.ts";
import { addClamped, exponentOf } from "../kernels/float32.ts";
import { copyScaled, floorPower, rotate, unrotate } from "../kernels/rotation.ts";
import { largest } from "../kernels/sums.ts";
import { refuse } from "../coding/refuse.ts";
import { scratch } from "../kernels/scratch.ts";
import { fold } from "../../random.ts";

/** Options of {@linkcode rotated}. */
export interface RotatedOptions {
  /** How often signs and transform are applied: 1 to 8. Default 2. */
  readonly rounds?: number;
}

/**
 * Compresses a random rotation of the vector, which both ends make from the key, and rotates back: peaks are spread over all
 * numbers, which helps compressors whose error depends on the largest number.
 *
 * A round multiplies by random signs and takes the Hadamard transform of the first 2ʲ of d numbers, for the largest power of two
 * that is at most d, and then does so for the last 2ʲ. That is an orthogonal map for any d, with nothing padded. One round is
 * enough for unbiased compressors; for others two keep sparse vectors from being rotated to few different values.
 *
 * - Guarantee: that of the compressor. For `dithering` by the largest magnitude and `stochasticLevels`, ω falls to
 *   p / (4 levels²) and p / (levels − 1)² with p = (d / 2ʲ) (2 ln 2d + 2), for every vector on average over the signs.
 * - Message: a byte and that of the compressor.
 * - Memory: 4 bytes a number.
 * - Source: Suresh et al.: "Distributed mean estimation with limited communication", arXiv:1611.00429, section 3, where vectors
 *   are padded.
 * - Choose it where a few numbers are far larger than the others.
 *
 * @throws {RangeError} if rounds is not an integer from 1 to 8
 *
 * @example
 * ```ts
 * import { compress, decompress, key, rotated, stochasticLevels } from "@gradwire/tfjs";
 * const c = rotated(stochasticLevels({ levels: 16 }), { rounds: 1 });
 * const x = new Float32Array(1000).fill(1, 0, 2), y = decompress(c, compress(c, x, key(1)), key(1), 1000);
 * const error = y.reduce((sum, v, i) => sum + (v - x[i]!) ** 2, 0) / 2;
 * console.assert(error < 0.1); // without the rotation about 1.1
 * ```
 */
export function rotated(
  compressor: UnbiasedCompressor & ContractiveCompressor,
  options?: RotatedOptions,
): UnbiasedCompressor & ContractiveCompressor;
/** Of an unbiased compressor: unbiased. */
export function rotated(compressor: UnbiasedCompressor & FlatOmega, options?: RotatedOptions): UnbiasedCompressor;
/** Of a contractive compressor: contractive. */
export function rotated(compressor: ContractiveCompressor, options?: RotatedOptions): ContractiveCompressor;
/** Of any compressor, such as one that was read from text. */
export function rotated(compressor: Compressor, options?: RotatedOptions): Compressor;
export function rotated(compressor: Compressor & FlatOmega, options: RotatedOptions = {}): Compressor {
  requireCompressor("make rotated", compressor);
  const { rounds = 2 } = checkOptions("make rotated", options, ["rounds"]);
  checkInteger("make rotated", "rounds", rounds, 1, 8);
  const memory = scratch(Float32Array), { omegaFlat } = compressor;
  return {
    name: "rotated",
    options: { rounds },
    parts: [compressor],
    maxByteLength: (size) => 1 + compressor.maxByteLength(size),
    encode(vector, key, message) {
      // Multiplying by a power of 4 takes the numbers near 1, where sums of them neither overflow nor lose bits.
      const shift = Math.floor(exponentOf(largest(vector)) / 2), data = memory(vector.length);
      message[0] = shift;
      copyScaled(vector, 0, vector.length, 4 ** -shift, data, vector.length);
      rotate(data, fold(key, 0), rounds);
      return 1 + compressor.encode(data, fold(key, 1), message.subarray(1));
    },
    decodeAdd(message, key, scale, into) {
      if (message.length === 0) refuse("rotated", "the message is empty");
      const shift = message[0]! << 24 >> 24, data = memory(into.length).fill(0);
      if (shift < -75 || shift > 63) refuse("rotated", `the scale is 4^${shift}`);
      compressor.decodeAdd(message.subarray(1), fold(key, 1), 1, data);
      if (largest(data) > 2 ** 90) refuse("rotated", `a number is ${largest(data)}, where all are near 1`);
      unrotate(data, fold(key, 0), rounds);
      addClamped(data, 4 ** shift, scale, into);
    },
    ...(isUnbiased(compressor) && {
      omega(size: number) {
        const most = compressor.omega(size);
        if (omegaFlat === undefined || size === 0) return most;
        return Math.min(most, omegaFlat(size, size / floorPower(size) * (2 * Math.log(2 * size) + 2)));
      },
    }),
    ...(isContractive(compressor) && { alpha: compressor.alpha, everyDraw: compressor.everyDraw }),
  };
}
