import { checkBoolean, checkNumber, checkOptions } from "../../options.ts";
import { bits, type Key } from "../../random.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { gatherFloats, scatterFloats } from "../kernels/gather_floats.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode bernoulli}. */
export interface BernoulliOptions {
  /** The probability to keep a number: from 2⁻³² to 1, rounded to a multiple of 2⁻³². */
  readonly p: number;
  /** Whether the vector is kept as a whole or not at all, and not each number by itself. Default false. */
  readonly whole?: boolean;
}

const BLOCK = 2048;
const words = new Uint32Array(BLOCK), indicesOf = scratch(Uint32Array);

/**
 * Keeps each number with probability p and divides it by p, or, with `whole`, all numbers or none ("lazy" compression).
 *
 * Numbers that would exceed float32 when divided by p are held to it.
 *
 * - Guarantee: unbiased with variance ω ‖x‖² for every vector, ω = 1/p − 1.
 * - Message: the numbers kept as float32, 32 p bits a number on average; the key tells which they are. With `whole` a message
 *   may be empty.
 * - Memory: 4 bytes a number.
 * - Source: Konečný, McMahan, Yu, Richtárik, Suresh, Bacon, arXiv:1610.05492 (subsampling).
 * - Choose it in place of `randK` where each number is to be kept independently, or for all or nothing with `whole`.
 *
 * @throws {RangeError} unless 2⁻³² ≤ p ≤ 1
 *
 * @example
 * ```ts
 * import { bernoulli, compress, key } from "@gradwire/tfjs";
 * console.assert(bernoulli({ p: 0.25 }).omega(9) === 3);
 * const message = compress(bernoulli({ p: 0.25, whole: true }), Float32Array.of(1, 2), key(1));
 * console.assert(message.length === 0 || message.length === 8);
 * ```
 */
export function bernoulli(options: BernoulliOptions): UnbiasedCompressor {
  const { p, whole = false } = checkOptions("make bernoulli", options, ["p", "whole"]);
  checkNumber("make bernoulli", "p", p, { least: 2 ** -33, most: 1 });
  checkBoolean("make bernoulli", "whole", whole);
  const threshold = Math.round(p * 2 ** 32), factor = 2 ** 32 / threshold;
  const select = (key: Key, size: number, indices: Uint32Array): number => {
    let count = 0;
    if (whole) {
      const kept = bits(key, words.subarray(0, 2))[0]! < threshold;
      if (kept) { for (; count < size; count++) indices[count] = count; }
      return count;
    }
    for (let from = 0; from < size; from += BLOCK) {
      const to = Math.min(size, from + BLOCK);
      bits(key, to - from === BLOCK ? words : words.subarray(0, to - from), from);
      for (let i = from; i < to; i++) {
        indices[count] = i;
        count += words[i - from]! < threshold ? 1 : 0;
      }
    }
    return count;
  };
  return {
    name: "bernoulli",
    options: whole ? { p, whole } : { p },
    omega: () => factor - 1,
    maxByteLength: (size) => 4 * size,
    encode(vector, key, message) {
      const indices = indicesOf(vector.length), count = select(key, vector.length, indices);
      return gatherFloats(vector, indices, count, message, 0, 0.999999 * MAX_FLOAT32 / factor);
    },
    decodeAdd(message, key, scale, into) {
      const indices = indicesOf(into.length), count = select(key, into.length, indices);
      requireLength("bernoulli", message, 4 * count);
      const most = scatterFloats(message, 0, indices, count, scale * factor, into);
      if (!(most * factor <= MAX_FLOAT32)) {
        refuse("bernoulli", `a value is ${most} · ${factor}, expected a finite number`);
      }
    },
  };
}
