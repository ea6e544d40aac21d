import { checkBoolean, checkNumber, checkOptions } from "../../options.ts";
import { byteLengthOf, type Width } from "../coding/fixed_width.ts";
import { refuse, requireLength, requirePadding } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { addClamped, MAX_FLOAT32 } from "../kernels/float32.ts";
import type { ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";
import { copyScaled, eachBlock, rotateBlock, unrotateBlock } from "../kernels/rotation.ts";
import { type Levels, nearestLevels, putValues, symmetricLevels } from "../kernels/given_levels.ts";
import { pack, unpack } from "../kernels/pack.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import { DISTORTION, LLOYD_MAX } from "./quantizer_tables.ts";
import { fold } from "../../random.ts";
import { scratch } from "../kernels/scratch.ts";

/** The most numbers of a block, see rotation.ts. */
const BLOCK = 8192;
/** With less than a bit a number, this many of a block are sent all the same: of a few the scale would have no variance. */
const FEWEST = 32;

/** Options of {@linkcode eden}. */
export interface EdenOptions {
  /** Bits a number, above 0, at most 6; also fractions, such as 0.1 or 2.5. */
  readonly bits: number;
}

/**
 * EDEN: blocks of up to 8192 numbers are rotated at random, each number is sent as the nearest level of the best quantizer
 * of N(0, 1), and a scale that makes the result unbiased: ⟨C(x), x⟩ = ‖x‖² in every draw. With D the distortion of the
 * quantizer, ω = D / (1 − D): 0.571, 0.133, 0.0358, 0.0096 for 1 to 4 bits.
 *
 * Fractions are mixed: of each block the first numbers (after the rotation all are alike) get a bit more than the others;
 * below one bit the others are not sent at all, which gives ω = 1.571 / bits − 1.
 *
 * Blocks of at most 32 numbers are rotated by a uniformly distributed matrix, and C is unbiased exactly. Larger ones by three
 * or four rounds of signs and Hadamard transform, which come close: for 1 bit the bias of sparse vectors,
 * ‖E C(x) − x‖² = 0.11 ‖x‖² after one round, was below 2e-5 ‖x‖². A scale for each block: 32 / 8192 bits a number.
 *
 * Source: Vargaftik et al.: "EDEN", arXiv:2108.08842; for 1 bit "DRIVE", arXiv:2105.08339.
 *
 * @throws {RangeError} unless 0 < bits ≤ 6
 *
 * @example
 * ```ts
 * import { compress, decompress, eden, key, normal } from "@gradwire/tfjs";
 * const x = normal(key(1), new Float32Array(8192)), message = compress(eden({ bits: 2 }), x, key(2));
 * console.assert(message.length === 4 + 2048);
 * const y = decompress(eden({ bits: 2 }), message, key(2), 8192);
 * const error = y.reduce((sum, v, i) => sum + (v - x[i]!) ** 2, 0) / x.reduce((sum, v) => sum + v ** 2, 0);
 * console.assert(Math.abs(error - 0.133) < 0.02);
 * ```
 */
export function eden(options: EdenOptions): UnbiasedCompressor {
  const { bits } = checkOptions("make eden", options, ["bits"]);
  checkNumber("make eden", "bits", bits, { above: 0, most: 6 });
  return { ...quantized("eden", bits, false), options: { bits }, omega: (size) => omegaOf(bits, size) };
}

/**
 * DRIVE: {@linkcode eden} with one bit, the sign of each rotated number. ω = π/2 − 1 = 0.571.
 *
 * With `biased: true` the scale is the one of least error instead, and the result is contractive: α = 1/2 by Khintchine's
 * inequality, and 1 − 2/π = 0.363 in the mean as far as it was measured.
 *
 * Source: Vargaftik et al.: "DRIVE", arXiv:2105.08339.
 *
 * @example
 * ```ts
 * import { compress, decompress, drive, key } from "@gradwire/tfjs";
 * const x = Float32Array.of(0, 0, 3, 0), y = decompress(drive(), compress(drive(), x, key(1)), key(1), 4);
 * console.assert(Math.abs(y[2]! - 3) < 1e-5); // ⟨y, x⟩ = ‖x‖² in every draw
 * ```
 */
export function drive(options?: { readonly biased?: false }): UnbiasedCompressor;
/** DRIVE with the scale of least error: contractive. */
export function drive(options: { readonly biased: true }): ContractiveCompressor;
export function drive(options: { readonly biased?: boolean } = {}): UnbiasedCompressor | ContractiveCompressor {
  const { biased = false } = checkOptions("make drive", options, ["biased"]);
  checkBoolean("make drive", "biased", biased);
  const shared = quantized("drive", 1, biased);
  return biased
    ? { ...shared, options: { biased }, everyDraw: false, alpha: (size) => size > 1 ? 1 / 2 : 0 }
    : { ...shared, options: {}, omega: (size) => omegaOf(1, size) };
}

/** How many numbers of a block of `size` get the larger number of bits. */
function richOf(bits: number, size: number): number {
  const rich = Math.round((bits - Math.ceil(bits) + 1) * size);
  return bits < 1 ? Math.min(size, Math.max(rich, FEWEST)) : rich;
}

function omegaOf(bits: number, size: number): number {
  const high = DISTORTION[Math.ceil(bits)]!, low = DISTORTION[Math.ceil(bits) - 1]!;
  let omega = 0;
  eachBlock(size, (_from, _length, padded) => {
    const rich = richOf(bits, padded), distortion = low + (high - low) * rich / padded;
    // Of few numbers the scale varies: E 1 / (mean magnitude)² is larger by this factor where most are not sent.
    const spread = bits < 1 && rich < padded ? 1 + 1.75 / rich + 6 / rich ** 2 : 1;
    omega = Math.max(omega, spread / (1 - distortion) - 1);
  });
  return omega;
}

const levelsOf = (() => {
  const made: Levels[] = [];
  return (bits: number) => made[bits] ??= symmetricLevels(LLOYD_MAX[bits]!);
})();

/** The part that does not depend on the theory. */
function quantized(name: string, bits: number, biased: boolean): Omit<UnbiasedCompressor, "omega" | "options"> {
  const top = Math.ceil(bits), high = levelsOf(top), low = levelsOf(top - 1), empty = top === 1;
  const wide = widthOf(top), narrow = widthOf(top - 1);
  const memory = scratch(Float32Array), chunk = scratch(Uint32Array);
  return {
    name,
    maxByteLength(size) {
      let length = 0;
      eachBlock(size, (_from, _length, padded) => {
        const rich = richOf(bits, padded);
        length += 4 + byteLengthOf(wide, rich) + (empty ? 0 : byteLengthOf(narrow, padded - rich));
      });
      return length;
    },
    encode(vector, key, message) {
      let at = 0;
      eachBlock(vector.length, (from, length, padded, index) => {
        const norm = Math.sqrt(sumOfSquares(vector.subarray(from, from + length)));
        if (norm === 0) {
          at = writeFloat(0, message, at);
          return;
        }
        // Of the padded length, so that the rotated numbers have mean square 1.
        const data = memory(BLOCK), unit = norm / Math.sqrt(padded), rich = richOf(bits, padded), start = at;
        copyScaled(vector, from, length, 1 / unit, data, padded);
        rotateBlock(data, padded, fold(key, index));
        at += 4;
        const codes = chunk(BLOCK), first = codes.subarray(0, rich), rest = codes.subarray(rich, padded);
        let product = nearestLevels(data, 0, high, first), squares = squaresOf(high, first);
        at = pack(first, top, message, at);
        if (!empty) {
          product += nearestLevels(data, rich, low, rest), squares += squaresOf(low, rest);
          at = pack(rest, top - 1, message, at);
        }
        writeFloat(Math.min(MAX_FLOAT32, unit * (biased ? product / squares : padded / product)), message, start);
        // Next to the least float32 the scale may be rounded to 0: then nothing follows, as for zeros.
        if (readScale(name, message, start) === 0) at = start + 4;
      });
      return at;
    },
    decodeAdd(message, key, scale, into) {
      let at = 0;
      eachBlock(into.length, (from, length, padded, index) => {
        const unit = readScale(name, message, at), rich = richOf(bits, padded), data = memory(BLOCK);
        at += 4;
        if (unit === 0) return;
        const end = at + byteLengthOf(wide, rich) + (empty ? 0 : byteLengthOf(narrow, padded - rich));
        if (message.length < end) refuse(name, `the message has ${message.length} bytes, expected at least ${end}`);
        const codes = chunk(BLOCK), first = codes.subarray(0, rich), rest = codes.subarray(rich, padded);
        requirePadding(name, message, 8 * at + top * rich);
        at = unpack(message, at, top, first);
        putValues(first, high.values, data, 0);
        if (empty) data.fill(0, rich, padded);
        else {
          requirePadding(name, message, 8 * at + (top - 1) * rest.length);
          at = unpack(message, at, top - 1, rest);
          putValues(rest, low.values, data, rich);
        }
        unrotateBlock(data, padded, fold(key, index));
        addClamped(data, unit, scale, into.subarray(from, from + length));
      });
      requireLength(name, message, at);
    },
  };
}

function widthOf(bits: number): Width {
  return { count: 2 ** bits, bits, perByte: 0 };
}

function squaresOf({ values }: Levels, codes: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < codes.length; i++) sum += values[codes[i]!]! ** 2;
  return sum;
}
