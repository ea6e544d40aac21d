import { checkChoice, checkOptions } from "../../options.ts";
import { byteLengthOf, readCodes, type Width, writeCodes } from "../coding/fixed_width.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { clampFloat32, exponentOf, MAX_FLOAT32 } from "../kernels/float32.ts";
import type { ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";
import { addValues } from "../kernels/given_levels.ts";
import { castNearest, castRandom, type FloatFormat, valuesOf } from "../kernels/float_formats.ts";
import { largest } from "../kernels/sums.ts";
import { bits } from "../../random.ts";

const FORMATS = {
  fp16: { mantissa: 10, bias: 15, width: 16, largest: 65504 },
  bf16: { mantissa: 7, bias: 127, width: 16, largest: (2 - 2 ** -7) * 2 ** 127 },
  e4m3: { mantissa: 3, bias: 7, width: 8, largest: 448 },
  e5m2: { mantissa: 2, bias: 15, width: 8, largest: 57344 },
} as const satisfies Record<string, FloatFormat>;

/** Options of {@linkcode cast}. */
export interface CastOptions<R extends "nearest" | "random" = "nearest" | "random"> {
  /** IEEE half precision, bfloat16, or one of the two 8-bit formats of the OCP specification. */
  readonly format: "fp16" | "bf16" | "e4m3" | "e5m2";
  /** Whether numbers are rounded to nearest, ties to even, or at random without bias. Default "nearest". */
  readonly rounding?: R;
}

/**
 * Floats of 16 or 8 bits: the vector is multiplied by the power of two that brings its largest magnitude as close below
 * the largest number of the format as possible, and each number is rounded to the format.
 *
 * - Guarantee, for a format of m bits of mantissa and vectors of d numbers: rounded to nearest, contractive in every draw,
 *   ‖C(x) − x‖² ≤ α ‖x‖² with α = (2⁻ᵐ / (2 + 2⁻ᵐ))² + d q²; rounded at random, unbiased with variance at most ω ‖x‖²,
 *   ω = 4⁻ᵐ / (4 (1 + 2⁻ᵐ)) + d q². The second term is that of numbers so small that their step is fixed: q is half of the
 *   format's smallest step over half of its largest number. Both constants are about 2.4e-7 for fp16, 1.5e-5 for bf16,
 *   0.0035 + 2e-11 d for e4m3 and 0.0124 + 4e-19 d for e5m2.
 * - Message: the exponent of the power of two in 2 bytes, then 16 or 8 bits a number.
 * - Source: IEEE 754-2019; Micikevicius et al.: "FP8 formats for deep learning", arXiv:2209.05433.
 * - Choose it where the receiver is to read standard floats, or the error has to be tiny.
 *
 * @throws {TypeError} if format or rounding is not one of those listed
 *
 * @example
 * ```ts
 * import { cast, compress, decompress, key } from "@gradwire/tfjs";
 * const half = cast({ format: "fp16" }), message = compress(half, Float32Array.of(1, -2, 0.1), key(1));
 * console.assert(message.length === 2 + 6);
 * console.assert(Math.abs(decompress(half, message, key(1), 3)[2]! - 0.1) < 0.1 / 2048);
 * ```
 */
export function cast(options: CastOptions<"random"> & { readonly rounding: "random" }): UnbiasedCompressor;
/** Rounded to nearest: contractive in every draw. */
export function cast(options: CastOptions<"nearest">): ContractiveCompressor;
export function cast(options: CastOptions): UnbiasedCompressor | ContractiveCompressor {
  const { format, rounding = "nearest" } = checkOptions("make cast", options, ["format", "rounding"]);
  checkChoice("make cast", "format", format, Object.keys(FORMATS));
  checkChoice("make cast", "rounding", rounding, ["nearest", "random"]);
  const layout: FloatFormat = FORMATS[format], ulp = 2 ** -layout.mantissa;
  const width: Width = { count: 2 ** layout.width, bits: layout.width, perByte: 0 };
  const round = rounding === "nearest" ? castNearest : castRandom;
  const relative = rounding === "nearest" ? (ulp / (2 + ulp)) ** 2 : ulp ** 2 / (4 * (1 + ulp));
  // After scaling some number is above half of the format's largest; among subnormal numbers the error is at most half of
  // their step.
  const floor = (2 ** (1 - layout.bias) * ulp / layout.largest) ** 2;
  const constant = (size: number) => relative + size * floor;
  const shared = {
    name: "cast",
    options: { format, rounding },
    maxByteLength: (size: number) => 2 + byteLengthOf(width, size),
    encode(vector, key, message) {
      const shift = exponentBelow(layout.largest, largest(vector)), factor = 2 ** shift;
      message[0] = shift, message[1] = shift >> 8;
      return writeCodes(width, vector.length, message, 2, (codes, from) => {
        if (rounding === "random") bits(key, codes, from);
        round(vector, from, factor, layout, codes);
      });
    },
    decodeAdd(message, _key, scale, into) {
      requireLength("cast", message, 2 + byteLengthOf(width, into.length));
      const shift = (message[0]! | (message[1]! << 8)) << 16 >> 16, unit = 2 ** -shift;
      // The encoder scales a finite float32 into the upper half of the format, and writes no other exponent.
      if (!(Math.abs(shift) < 300 && layout.largest * unit / 2 < 2 ** 128)) refuse("cast", `the scale is 2^${shift}`);
      const values = tables[format] ??= valuesOf(layout), mask = 2 ** (layout.width - 1) - 1;
      readCodes(width, into.length, message, 2, (codes, from) => {
        let top = 0;
        for (let i = 0; i < codes.length; i++) top = Math.max(top, codes[i]! & mask);
        if (values[top]! * unit <= MAX_FLOAT32) return addValues(codes, values, scale * unit, into, from);
        if (!Number.isFinite(values[top]!)) refuse("cast", `code ${top} is not that of a finite number`);
        // A number next to the largest float32 may have been rounded beyond it.
        for (let i = 0; i < codes.length; i++) {
          const value = values[codes[i]!]! * unit;
          into[from + i]! += scale * clampFloat32(value);
        }
      });
    },
  } satisfies Omit<UnbiasedCompressor, "omega">;
  return rounding === "nearest" ? { ...shared, everyDraw: true, alpha: constant } : { ...shared, omega: constant };
}

/** The largest integer e with 2^e · magnitude ≤ most; 0 where the magnitude is 0. */
function exponentBelow(most: number, magnitude: number): number {
  if (magnitude === 0) return 0;
  // The exponent field of the quotient. Both numbers have 24 bits of mantissa, so the quotient is not rounded up to a power
  // of two.
  return exponentOf(most / magnitude);
}

const tables: Partial<Record<keyof typeof FORMATS, Float64Array>> = {};
