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
  /** IEEE half precision, bfloat16, or the two 8-bit formats of the OCP specification. */
  readonly format: "fp16" | "bf16" | "e4m3" | "e5m2";
  /** To nearest, ties to even, or at random without bias. Default "nearest". */
  readonly rounding?: R;
}

/**
 * Low-precision floats: 16 or 8 bits a number, after the vector was multiplied by the power of two that brings its
 * largest magnitude as close below the largest number of the format as it can.
 *
 * With m bits of mantissa, and numbers small against the largest rounded at a fixed step: to nearest,
 * α = (2⁻ᵐ / (2 + 2⁻ᵐ))² + d q², for every draw; at random, ω = 4⁻ᵐ / (4 (1 + 2⁻ᵐ)) + d q², where q is half the smallest
 * step over half the largest number. fp16: 2.4e-7, bf16: 1.5e-5, e4m3: 0.0035 + 2e-11 d, e5m2: 0.0124 + 4e-19 d.
 *
 * Source: IEEE 754-2019; Micikevicius et al.: "FP8 formats for deep learning", arXiv:2209.05433.
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
/** Low-precision floats, to nearest: contractive, for every draw. */
export function cast(options: CastOptions<"nearest">): ContractiveCompressor;
export function cast(options: CastOptions): UnbiasedCompressor | ContractiveCompressor {
  const { format, rounding = "nearest" } = checkOptions("make cast", options, ["format", "rounding"]);
  checkChoice("make cast", "format", format, Object.keys(FORMATS));
  checkChoice("make cast", "rounding", rounding, ["nearest", "random"]);
  const layout: FloatFormat = FORMATS[format], ulp = 2 ** -layout.mantissa;
  const width: Width = { count: 2 ** layout.width, bits: layout.width, perByte: 0 };
  const round = rounding === "nearest" ? castNearest : castRandom;
  const relative = rounding === "nearest" ? (ulp / (2 + ulp)) ** 2 : ulp ** 2 / (4 * (1 + ulp));
  // After scaling some number is above half the largest; below the normal ones the error is at most half a step.
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
      // Largest magnitudes that encode scales are float32's own.
      if (!(Math.abs(shift) < 300 && layout.largest * unit / 2 < 2 ** 128)) refuse("cast", `the scale is 2^${shift}`);
      const values = tables[format] ??= valuesOf(layout), mask = 2 ** (layout.width - 1) - 1;
      readCodes(width, into.length, message, 2, (codes, from) => {
        let top = 0;
        for (let i = 0; i < codes.length; i++) top = Math.max(top, codes[i]! & mask);
        if (values[top]! * unit <= MAX_FLOAT32) return addValues(codes, values, scale * unit, into, from);
        if (!Number.isFinite(values[top]!)) refuse("cast", `code ${top} is not that of a finite number`);
        // Numbers next to float32's largest may have been rounded beyond it.
        for (let i = 0; i < codes.length; i++) {
          const value = values[codes[i]!]! * unit;
          into[from + i]! += scale * clampFloat32(value);
        }
      });
    },
  } satisfies Omit<UnbiasedCompressor, "omega">;
  return rounding === "nearest" ? { ...shared, everyDraw: true, alpha: constant } : { ...shared, omega: constant };
}

/** The largest integer e with 2^e · magnitude ≤ most; 0 for 0. */
function exponentBelow(most: number, magnitude: number): number {
  if (magnitude === 0) return 0;
  // The exponent field of the quotient; it cannot be rounded up to a power of two, both having 24 bits of mantissa.
  return exponentOf(most / magnitude);
}

const tables: Partial<Record<keyof typeof FORMATS, Float64Array>> = {};
