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
 * A compressor applied to each run of `size` numbers on its own, the last one possibly shorter. ω and α are the largest of
 * the buckets': what grows with the vector's length, as ω of qsgd, is held at that of a bucket, for one more scale each.
 *
 * The message is those of the buckets, and where their lengths differ a byte or two each for the lengths. Keys are folded
 * with the bucket's number.
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
/** Of an unbiased compressor. */
export function bucketed(compressor: UnbiasedCompressor, size: number): UnbiasedCompressor;
/** Of a contractive compressor. */
export function bucketed(compressor: ContractiveCompressor, size: number): ContractiveCompressor;
/** Of one that declares nothing. */
export function bucketed(compressor: Compressor, size: number): Compressor;
export function bucketed(compressor: Compressor, size: number): Compressor {
  requireCompressor("make bucketed", compressor);
  checkInteger("make bucketed", "size", size, 1, 2 ** 31);
  const frames = new Frames("bucketed");
  const countOf = (length: number) => Math.ceil(length / size);
  const lengthOf = (length: number, i: number) => Math.min(size, length - i * size);
  /** The larger of a full bucket's constant and the last one's. */
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
