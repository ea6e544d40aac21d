import { checkInteger, checkOptions } from "../../options.ts";
import { byteLengthOf, readCodes, widthOf, writeCodes } from "../coding/fixed_width.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { addClamped, MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { addLevels, stochasticRound } from "../kernels/equal_levels.ts";
import { flipSigns, hadamard } from "../kernels/hadamard.ts";
import { copyScaled, eachBlock, floorPower } from "../kernels/rotation.ts";
import { largest, sumOfSquares } from "../kernels/sums.ts";
import { bits, fold, type Key } from "../../random.ts";

/** Coefficients of a block: twice its 8192 numbers. */
const BLOCK = 2 * 8192;
/** Magnitudes in units of the root mean square of the shortest representation: clipped to, wanted, and promised. */
const CLIP = 1.8, WANTED = 2, PROMISED = 2.25;
/** Steps towards a flat representation, and rotations that are tried until it is as flat as promised. */
const STEPS = 16, ATTEMPTS = 16;

/** Options of {@linkcode kashin}. */
export interface KashinOptions {
  /** How many values a coefficient may become: 2 to 256. Default 2. */
  readonly levels?: number;
}

/**
 * Kashin compression: blocks of up to 8192 numbers are written with twice as many coefficients of nearly equal magnitude,
 * and each coefficient is rounded, without bias, to one of equally spaced levels up to the largest: 2 ⌈log₂ levels⌉ bits a
 * number (3.2 for 3 levels and 5.33 for 5 or 6, whose digits share bytes), and the error is bounded for every vector and every draw of the rotation.
 *
 * The tight frame is two random rotations R₁, R₂ (signs, then Hadamard) side by side over √2: x = (R₁ᵀ b₁ + R₂ᵀ b₂) / √2. From
 * the shortest b, clip to 1.8 of its root mean square and add the shortest representation of what was lost, up to 16
 * times: the largest coefficient falls from 3.9 to 2.0 root mean squares. It is at most K = 2.25, or other rotations
 * are tried. ω = (K² − 1) / 2 = 2.03 for two levels, else K² / (2 (levels − 1)²); for long vectors three quarters of that.
 *
 * Source: Lyubarskii, Vershynin: "Uncertainty principles and vector quantization", arXiv:math/0611343; Safaryan, Shulgin,
 * Richtárik: "Uncertainty principle for communication compression", arXiv:2002.08958. A zero-padded Hadamard frame of twice
 * the size, as often used, repeats every coefficient and gains nothing.
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
        // Next to the least float32 the scale may be rounded to 0: then nothing follows, as for zeros.
        if (readScale("kashin", message, at - 4) === 0) {
          message[at - 5] = 0;
          return;
        }
        // In the decoder's units: what the scale was rounded to.
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

const numbers = new Float32Array(BLOCK / 2), coefficients = new Float32Array(BLOCK), lost = new Float32Array(BLOCK);

/** The smallest power of two that is at least n ≥ 1. */
function powerOf(n: number): number {
  const floor = floorPower(n);
  return floor === n ? n : 2 * floor;
}

/** b := a representation of x with small coefficients; returns the largest. */
function represent(x: Float32Array, b: Float32Array, key: Key): number {
  const half = x.length, rest = lost.subarray(0, 2 * half);
  rest.set(x);
  analyse(rest, half, key);
  b.set(rest);
  for (let step = 0; step < STEPS && largest(b) > WANTED; step++) {
    for (let i = 0; i < b.length; i++) {
      const clipped = Math.max(-CLIP, Math.min(CLIP, b[i]!));
      rest[i] = b[i]! - clipped;
      b[i] = clipped;
    }
    synthesise(rest, half, key);
    analyse(rest, half, key);
    for (let i = 0; i < b.length; i++) b[i]! += rest[i]!;
  }
  return largest(b);
}

/** The first half of `data`, x, becomes all of Uᵀ x = (R₁ x, R₂ x) / √2. */
function analyse(data: Float32Array, half: number, key: Key): void {
  data.copyWithin(half, 0, half);
  for (let part = 0; part < 2; part++) {
    flipSigns(fold(key, part), data, part * half, half, Math.SQRT1_2 / Math.sqrt(half));
    hadamard(data, part * half, half);
  }
}

/** All of `data`, b, becomes U b in its first half. */
function synthesise(data: Float32Array, half: number, key: Key): void {
  for (let part = 0; part < 2; part++) {
    hadamard(data, part * half, half);
    flipSigns(fold(key, part), data, part * half, half, Math.SQRT1_2 / Math.sqrt(half));
  }
  for (let i = 0; i < half; i++) data[i]! += data[half + i]!;
}
