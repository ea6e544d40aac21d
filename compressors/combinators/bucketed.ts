import { checkInteger } from "../../options.ts";
import { requireCompressor } from "../check.ts";
import { fold } from "../../random.ts";
import {
  type Compressor,
  type ContractiveCompressor,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "../compressor.ts";
import { Frames } from "../coding/frames.ts";

/**
 * Applies a compressor to each run of `size` numbers by itself; the last run may be shorter.
 *
 * Keys are folded with the number of the bucket.
 *
 * - Guarantee: that of the compressor for its bucket with the largest ω or α, which so does not grow with the vector.
 * - Message: those of the buckets, and where their lengths differ a byte or two each for the lengths.
 * - Choose it where ω or α of a compressor grows with the length of the vector, as ω of `qsgd` does.
 *
 * @throws {RangeError} unless size is an integer of at least 1
 *
 * @example
 * ```ts
 * import { bucketed, qsgd } from "@gradwire/tfjs";
 * const compressor = bucketed(qsgd({ levels: 7 }), 512);
 * console.assert(compressor.omega(1_000_000) === qsgd({ levels: 7 }).omega(512));
 * ```
 */
export function bucketed(
  compressor: UnbiasedCompressor & ContractiveCompressor,
  size: number,
): UnbiasedCompressor & ContractiveCompressor;
/** Of an unbiased compressor: unbiased. */
export function bucketed(compressor: UnbiasedCompressor, size: number): UnbiasedCompressor;
/** Of a contractive compressor: contractive. */
export function bucketed(compressor: ContractiveCompressor, size: number): ContractiveCompressor;
/** Of a compressor that declares neither ω nor α. */
export function bucketed(compressor: Compressor, size: number): Compressor;
export function bucketed(compressor: Compressor, size: number): Compressor {
  requireCompressor("make bucketed", compressor);
  checkInteger("make bucketed", "size", size, 1, 2 ** 31);
  const frames = new Frames("bucketed");
  const countOf = (length: number) => Math.ceil(length / size);
  const lengthOf = (length: number, i: number) => Math.min(size, length - i * size);
  /** The larger of the constants of a full bucket and of a shorter last one, as a function of the vector's length. */
  const largest = (constant: (size: number) => number) => (length: number) => {
    const rest = length % size;
    return Math.max(length >= size ? constant(size) : 0, rest > 0 || length === 0 ? constant(rest) : 0);
  };
  const base: Compressor = {
    name: "bucketed",
    options: {},
    parts: [compressor, size],
    ...compressor.lossless ? { lossless: true } : {},
    maxByteLength(length) {
      const count = countOf(length), rest = length - size * (count - 1);
      if (count === 0) return 0;
      return frames.maxByteLength(count, (count - 1) * compressor.maxByteLength(size) + compressor.maxByteLength(rest));
    },
    encode(vector, key, message) {
      const { length } = vector;
      return frames.encode(
        message,
        countOf(length),
        (i) => compressor.maxByteLength(lengthOf(length, i)),
        (i, part) => compressor.encode(vector.subarray(i * size, i * size + lengthOf(length, i)), fold(key, i), part),
      );
    },
    decodeAdd(message, key, scale, into) {
      const { length } = into;
      frames.decode(
        message,
        countOf(length),
        (i) => compressor.maxByteLength(lengthOf(length, i)),
        (i, part) =>
          compressor.decodeAdd(part, fold(key, i), scale, into.subarray(i * size, i * size + lengthOf(length, i))),
      );
    },
  };
  return {
    ...base,
    ...(isUnbiased(compressor) ? { omega: largest(compressor.omega) } : {}),
    ...(isContractive(compressor) ? { alpha: largest(compressor.alpha), everyDraw: compressor.everyDraw } : {}),
  };
}
