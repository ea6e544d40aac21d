import { checkInteger } from "../../options.ts";
import { requireUnbiased } from "../check.ts";
import { fold } from "../../random.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { Frames } from "../coding/frames.ts";
import { addClamped } from "../kernels/float32.ts";
import { scratch } from "../kernels/scratch.ts";

/**
 * The mean of `times` independent draws of an unbiased compressor, 1 to 65536.
 *
 * Keys are folded with the number of the draw.
 *
 * - Guarantee: unbiased with ω / times, where ω is that of the compressor.
 * - Message: those of the draws, and where their lengths differ a byte or two each for the lengths.
 * - Memory: one vector.
 * - Choose it where an unbiased compressor is too noisy and has no finer setting.
 *
 * @throws {RangeError} unless times is an integer from 1 to 65536
 *
 * @example
 * ```ts
 * import { naturalCompression, repeated } from "@gradwire/tfjs";
 * console.assert(repeated(naturalCompression(), 4).omega(100) === 1 / 32);
 * ```
 */
export function repeated(compressor: UnbiasedCompressor, times: number): UnbiasedCompressor {
  requireUnbiased("make repeated", compressor);
  checkInteger("make repeated", "times", times, 1, 2 ** 16);
  const frames = new Frames("repeated"), sumOf = scratch(Float32Array);
  return {
    name: "repeated",
    options: {},
    parts: [compressor, times],
    omega: (size) => compressor.omega(size) / times,
    maxByteLength: (size) => frames.maxByteLength(times, times * compressor.maxByteLength(size)),
    encode(vector, key, message) {
      const most = compressor.maxByteLength(vector.length);
      return frames.encode(message, times, () => most, (i, part) => compressor.encode(vector, fold(key, i), part));
    },
    decodeAdd(message, key, scale, into) {
      const most = compressor.maxByteLength(into.length), sum = sumOf(into.length).fill(0);
      frames.decode(
        message,
        times,
        () => most,
        (i, part) => compressor.decodeAdd(part, fold(key, i), 1 / times, sum),
      );
      addClamped(sum, 1, scale, into);
    },
  };
}
