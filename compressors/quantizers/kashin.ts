import { checkInteger, checkOptions } from "../../options.ts";
import { byteLengthOf, readCodes, widthOf, writeCodes } from "../coding/fixed_width.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { addClamped, MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { addLevels, stochasticRound } from "../kernels/equal_levels.ts";
import { represent, synthesise } from "../kernels/tight_frame.ts";
import { BLOCK, copyScaled, eachBlock, floorPower } from "../kernels/rotation.ts";
import { largest, sumOfSquares } from "../kernels/sums.ts";
import { bits, fold } from "../../random.ts";

/** The largest coefficient that is promised, in units of the root mean square of the shortest representation. */
const PROMISED = 2.25;
/** The most rotations that are tried until the coefficients are as small as promised. */
const ATTEMPTS = 16;

/** Options of {@linkcode kashin}. */
export interface KashinOptions {
  /** How many values a coefficient may become: 2 to 256. Default 2. */
  readonly levels?: number;
}

/**
 * Kashin compression: each block of up to 8192 numbers is written with twice as many coefficients of nearly equal
 * magnitude, and each coefficient is rounded at random, without bias, to one of equally spaced levels up to the largest.
 *
 * With R₁ and R₂ two random rotations (signs, then Hadamard transform), the block is x = (R₁ᵀ b₁ + R₂ᵀ b₂) / √2. From the
 * shortest such (b₁, b₂) on, up to 16 steps clip the coefficients to 1.8 times their root mean square and add the shortest
 * representation of what was clipped. The largest coefficient falls from 3.9 to 2.0 root mean squares; where it stays above
 * K = 2.25, other rotations are tried.
 *
 * - Guarantee: unbiased with variance at most ω ‖x‖² for every draw of the rotations, ω = (K² − 1) / 2 = 2.03 for two levels and
 *   K² / (2 (levels − 1)²) for more; long vectors have three quarters of that.
 * - Message: 5 bytes for each block and 2 ⌈log₂ levels⌉ bits a number (3.2 for 3 levels, 5.33 for 5 and 6, whose digits
 *   share bytes).
 * - Source: Lyubarskii, Vershynin: "Uncertainty principles and vector quantization", arXiv:math/0611343; Safaryan, Shulgin,
 *   Richtárik: "Uncertainty principle for communication compression", arXiv:2002.08958. The often used Hadamard frame, padded
 *   with zeros to twice the size, repeats every coefficient and gains nothing.
 * - Choose it where the bound must hold for every vector and every rotation.
 *
 * @throws {RangeError} if levels is not an integer from 2 to 256
 *
 * @example
 * ```ts
 * import { compress, kashin, key } from "@gradwire/tfjs";
 * const message = compress(kashin(), new Float32Array(8192).fill(1), key(1));
 * console.assert(message.length === 5 + 2 * 1024);
 * ```
 */
export function kashin(options: KashinOptions = {}): UnbiasedCompressor {
  const { levels = 2 } = checkOptions("make kashin", options, ["levels"]);
  checkInteger("make kashin", "levels", levels, 2, 256);
  const width = widthOf(levels), top = levels - 1;
  return {
    name: "kashin",
    options: { levels },
    omega: (size) => size === 0 ? 0 : levels === 2 ? (PROMISED ** 2 - 1) / 2 : PROMISED ** 2 / (2 * top ** 2),
    maxByteLength(size) {
      let length = 0;
      eachBlock(size, (_from, _length, padded) => length += 5 + byteLengthOf(width, 2 * powerOf(padded)));
      return length;
    },
    encode(vector, key, message) {
      let at = 0;
      eachBlock(vector.length, (from, length, padded, index) => {
        const half = powerOf(padded), unit = Math.sqrt(sumOfSquares(vector.subarray(from, from + length)) / (2 * half));
        if (unit === 0) {
          message[at] = 0;
          at = writeFloat(0, message, at + 1);
          return;
        }
        const own = fold(key, index), x = numbers.subarray(0, half), b = coefficients.subarray(0, 2 * half);
        copyScaled(vector, from, length, 1 / unit, x, half);
        let attempt = 0;
        while (represent(x, b, fold(own, attempt)) > PROMISED && attempt < ATTEMPTS - 1) attempt++;
        message[at] = attempt;
        at = writeFloat(Math.min(MAX_FLOAT32, largest(b) * unit), message, at + 1);
        // A scale next to the least float32 may be rounded to 0: then no codes follow it, as for a block of zeros.
        if (readScale("kashin", message, at - 4) === 0) {
          message[at - 5] = 0;
          return;
        }
        // The decoder's range of levels: the scale as it was rounded.
        const most = readScale("kashin", message, at - 4) / unit;
        const noise = fold(own, -1);
        at = writeCodes(width, 2 * half, message, at, (codes, start) => {
          bits(noise, codes, start);
          stochasticRound(b, start, top / (2 * most), top / 2, top, codes);
        });
      });
      return at;
    },
    decodeAdd(message, key, scale, into) {
      let at = 0;
      eachBlock(into.length, (from, length, padded, index) => {
        const half = powerOf(padded), b = coefficients.subarray(0, 2 * half).fill(0), attempt = message[at] ?? 0;
        const most = readScale("kashin", message, at + 1);
        at += 5;
        if (most === 0 && attempt === 0) return;
        if (most === 0) refuse("kashin", `zeros have rotation number ${attempt}, expected 0`);
        if (attempt >= ATTEMPTS) refuse("kashin", `the rotation is number ${attempt}, expected less than ${ATTEMPTS}`);
        at = readCodes(width, 2 * half, message, at, (codes, start) => addLevels(codes, -1, 2 / top, b, start));
        synthesise(b, half, fold(fold(key, index), attempt));
        addClamped(b, most, scale, into.subarray(from, from + length));
      });
      requireLength("kashin", message, at);
    },
  };
}

const numbers = new Float32Array(BLOCK), coefficients = new Float32Array(2 * BLOCK);

/** The smallest power of two that is at least n ≥ 1. */
function powerOf(n: number): number {
  const floor = floorPower(n);
  return floor === n ? n : 2 * floor;
}
