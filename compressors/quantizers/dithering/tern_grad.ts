import { checkNumber, checkOptions } from "../../../options.ts";
import type { Compressor, FlatOmega, UnbiasedCompressor } from "../../compressor.ts";
import { scratch } from "../../kernels/scratch.ts";
import { largest, sumOfSquares } from "../../kernels/sums.ts";
import { dithering } from "./dithering.ts";

/** Options of {@linkcode ternGrad}. */
export interface TernGradOptions {
  /** The limit of magnitudes in standard deviations: numbers are clipped to it before they are rounded. The authors use 2.5. */
  readonly clip: number;
}

/**
 * TernGrad: every number becomes −m, 0 or m, without bias, where m is the largest magnitude.
 *
 * With `clip`, numbers beyond `clip` population standard deviations from 0 are first moved to that limit, as the authors do.
 * That lowers the variance and adds a bias, so that the result declares neither ω nor α. A constant vector has deviation 0 and
 * is not clipped.
 *
 * - Guarantee, without `clip`: unbiased with variance m ‖x‖₁ − ‖x‖², at most ω ‖x‖² with ω = (√d − 1) / 2 for d numbers.
 * - Message: m as float32 and 1.6 bits a number, five ternary digits in a byte.
 * - Source: Wen et al.: "TernGrad", arXiv:1705.07878.
 * - Choose it for TernGrad as published.
 *
 * @throws {RangeError} if clip is not positive
 *
 * @example
 * ```ts
 * import { compress, key, ternGrad } from "@gradwire/tfjs";
 * console.assert(compress(ternGrad(), new Float32Array(1000).fill(1), key(1)).length === 4 + 200);
 * ```
 */
export function ternGrad(): UnbiasedCompressor & FlatOmega;
/** With clipping: neither unbiased nor contractive. */
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
