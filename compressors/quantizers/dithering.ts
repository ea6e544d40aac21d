import { checkChoice, checkInteger, checkNumber, checkOptions } from "../../options.ts";
import { BitReader, BitWriter } from "../coding/bits.ts";
import { byteLengthOf, eachChunk, type Fill, readCodes, widthOf, writeCodes } from "../coding/fixed_width.ts";
import { requireLength } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import type { Compressor, UnbiasedCompressor } from "../compressor.ts";
import { omegaLength, readOmega, writeOmega } from "../coding/elias.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../coding/integer_model.ts";
import { addSigned, stochasticRound } from "../kernels/equal_levels.ts";
import { largest, sumOfSquares } from "../kernels/sums.ts";
import { bits } from "../../random.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode dithering}. */
export interface DitheringOptions {
  /** Intervals between 0 and the norm: 1 to 65535. A number becomes one of 2 · levels + 1 values. */
  readonly levels: number;
  /** What the levels divide: the Euclidean norm (QSGD) or the largest magnitude. Default "l2". */
  readonly norm?: "l2" | "max";
  /**
   * How levels are written. "fixed": ⌈log₂(2 · levels + 1)⌉ bits each; with 1 or 2 levels digits of base 3 or 5, which take 1.6 and 2.67 bits.
   * "elias": QSGD's code for sparse vectors, gaps and levels in Elias's omega code.
   * "entropy": an adaptive range coder, the shortest wherever levels are not equally likely. Default "fixed".
   */
  readonly coding?: "fixed" | "elias" | "entropy";
}

/**
 * Standard (random) dithering: |x| over the norm of the vector is rounded at random, without bias, to a neighbouring
 * multiple of 1 / levels.
 *
 * E‖C(x) − x‖² = (N / levels)² Σ frac(vᵢ)(1 − frac(vᵢ)) with vᵢ = levels · |xᵢ| / N. From it ω, sharp up to whether the
 * worst vector fits whole numbers of coordinates: for the maximum norm (√(1 + (d − 1) / levels²) − 1) / 2, for the
 * Euclidean norm √d / levels − 1 where levels ≤ √d / 2, else d / (4 levels²).
 *
 * Source: Alistarh, Grubic, Li, Tomioka, Vojnovic: "QSGD", arXiv:1610.02132; Horváth et al., arXiv:1904.05115.
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
export function dithering(options: DitheringOptions): UnbiasedCompressor & Flattened {
  const { levels, norm = "l2", coding = "fixed" } = checkOptions("make dithering", options, [
    "levels",
    "norm",
    "coding",
  ]);
  checkInteger("make dithering", "levels", levels, 1, 65535);
  checkChoice("make dithering", "norm", norm, ["l2", "max"]);
  checkChoice("make dithering", "coding", coding, ["fixed", "elias", "entropy"]);
  const top = 2 * levels, payload = { fixed, elias, entropy }[coding](levels);
  return {
    name: "dithering",
    options: { levels, norm, coding },
    omega(size) {
      if (size === 0) return 0;
      if (norm === "max") return (Math.sqrt(1 + (size - 1) / levels ** 2) - 1) / 2;
      return 2 * levels <= Math.sqrt(size) ? Math.sqrt(size) / levels - 1 : size / (4 * levels ** 2);
    },
    omegaFlat: norm === "max" ? (_size, peak) => peak / (4 * levels ** 2) : undefined,
    maxByteLength: (size) => 4 + payload.maxByteLength(size),
    encode(vector, key, message) {
      // A sum that overflows float32 is as good clamped: the levels still reach every number.
      const scale = norm === "max" ? largest(vector) : Math.min(Math.sqrt(sumOfSquares(vector)), MAX_FLOAT32);
      writeFloat(scale, message, 0);
      const sent = readScale("dithering", message, 0);
      if (sent === 0) return 4;
      return payload.write(vector.length, message, (codes, from) => {
        bits(key, codes, from);
        stochasticRound(vector, from, levels / sent, levels, top, codes);
      });
    },
    decodeAdd(message, _key, scale, into) {
      const norm = readScale("dithering", message, 0), step = scale * norm / levels;
      const end = norm === 0 ? 4 : payload.read(into.length, message, step, into);
      requireLength("dithering", message, end);
    },
  };
}

/** A compressor whose ω is smaller where the vector has no peaks; `rotated` makes such vectors. */
export interface Flattened {
  /** ω on random vectors of `size` numbers with size · E max xᵢ² ≤ peak · ‖x‖². */
  readonly omegaFlat?: ((size: number, peak: number) => number) | undefined;
}

/** How codes level + levels of a whole vector follow the norm. */
interface Payload {
  maxByteLength(size: number): number;
  write(size: number, message: Uint8Array, fill: Fill): number;
  read(size: number, message: Uint8Array, step: number, into: Float32Array): number;
}

function fixed(levels: number): Payload {
  const width = widthOf(2 * levels + 1);
  return {
    maxByteLength: (size) => byteLengthOf(width, size),
    write: (size, message, fill) => writeCodes(width, size, message, 4, fill),
    read: (size, message, step, into) =>
      readCodes(width, size, message, 4, (codes, from) => addSigned(codes, levels, step, into, from)),
  };
}

/** For each level that is not zero: the gap from the one before, the sign, the level. A last gap leads past the end. */
function elias(levels: number): Payload {
  return {
    // A gap of g takes at most 2g − 1 bits, so gap, sign and level at most g times the bits of gap 1, sign, level.
    maxByteLength: (size) => Math.ceil((size * (2 + omegaLength(levels)) + omegaLength(size + 1)) / 8),
    write(size, message, fill) {
      const writer = new BitWriter(message, 4);
      let last = -1;
      eachChunk(size, fill, (codes, from) => {
        for (let i = 0; i < codes.length; i++) {
          const level = codes[i]! - levels;
          if (level === 0) continue;
          writeOmega(writer, from + i - last);
          writer.write(level < 0 ? 1 : 0, 1);
          writeOmega(writer, Math.abs(level));
          last = from + i;
        }
      });
      writeOmega(writer, size - last);
      return writer.finish();
    },
    read(size, message, step, into) {
      const reader = new BitReader(message, 4);
      for (let at = readOmega(reader) - 1; at !== size; at += readOmega(reader)) {
        if (at > size) throw new RangeError(`Cannot decode dithering: an index is ${at}, expected at most ${size}`);
        const negative = reader.read(1) === 1, level = readOmega(reader);
        if (level > levels) {
          throw new RangeError(`Cannot decode dithering: a level is ${level}, expected at most ${levels}`);
        }
        into[at]! += negative ? -level * step : level * step;
      }
      reader.end();
      return message.length;
    },
  };
}

/** All levels through the adaptive range coder. */
function entropy(levels: number): Payload {
  const memory = scratch(Int32Array);
  return {
    maxByteLength: (size) => integersByteLength(size, levels),
    write(size, message, fill) {
      const values = memory(size);
      eachChunk(size, fill, (codes, from) => {
        for (let i = 0; i < codes.length; i++) values[from + i] = codes[i]! - levels;
      });
      return encodeIntegers(values, levels, message, 4);
    },
    read(size, message, step, into) {
      const values = decodeIntegers(message, 4, levels, memory(size));
      for (let i = 0; i < size; i++) into[i]! += step * values[i]!;
      return message.length;
    },
  };
}

/**
 * QSGD as its authors send it: {@linkcode dithering} by the Euclidean norm with Elias's codes. With one level about √d
 * numbers are not zero, with √d levels about 2.9 bits a number are sent. Use it in buckets of a few hundred numbers to
 * bound ω: `bucketed(qsgd({ levels: 4 }), 512)`.
 *
 * Source: Alistarh et al., arXiv:1610.02132, section 3. ω as for dithering (the paper's min(d / s², √d / s) is larger).
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

/** Options of {@linkcode ternGrad}. */
export interface TernGradOptions {
  /** Standard deviations beyond which numbers are clipped before they are rounded; the authors use 2.5. */
  readonly clip: number;
}

/**
 * TernGrad: every number becomes −m, 0 or m, without bias, where m is the largest magnitude; five ternary digits in a
 * byte. ω = (√d − 1) / 2, and exactly E‖C(x) − x‖² = m ‖x‖₁ − ‖x‖².
 *
 * With `clip`, numbers beyond `clip` population standard deviations from 0 are moved to that limit first, as the authors
 * do: the variance falls and a bias appears, so that the result declares no ω; there is no α either.
 *
 * Source: Wen et al.: "TernGrad", arXiv:1705.07878. A constant vector has deviation 0 and is not clipped.
 *
 * @throws {RangeError} if clip is not positive
 *
 * @example
 * ```ts
 * import { compress, key, ternGrad } from "@gradwire/tfjs";
 * console.assert(compress(ternGrad(), new Float32Array(1000).fill(1), key(1)).length === 4 + 200);
 * ```
 */
export function ternGrad(): UnbiasedCompressor & Flattened;
/** TernGrad with clipping: neither unbiased nor contractive. */
export function ternGrad(options: TernGradOptions): Compressor;
export function ternGrad(options?: TernGradOptions): Compressor {
  const ternary = dithering({ levels: 1, norm: "max" });
  if (options === undefined) return { ...ternary, name: "ternGrad", options: {} };
  const { clip } = checkOptions("make ternGrad", options, ["clip"]);
  checkNumber("make ternGrad", "clip", clip, { above: 0, most: Infinity });
  const memory = scratch(Float32Array);
  return {
    name: "ternGrad",
    options: { clip },
    maxByteLength: ternary.maxByteLength,
    encode(vector, key, message) {
      const limit = clip * deviation(vector);
      if (!(limit > 0 && limit < largest(vector))) return ternary.encode(vector, key, message);
      const clipped = memory(vector.length);
      for (let i = 0; i < vector.length; i++) clipped[i] = Math.max(-limit, Math.min(limit, vector[i]!));
      return ternary.encode(clipped, key, message);
    },
    decodeAdd: ternary.decodeAdd,
  };
}

/** The population standard deviation. */
function deviation(vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]!;
  const mean = sum / vector.length;
  return Math.sqrt(Math.max(0, sumOfSquares(vector) / vector.length - mean * mean));
}
