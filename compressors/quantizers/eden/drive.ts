import { checkBoolean, checkOptions } from "../../../options.ts";
import type { ContractiveCompressor, UnbiasedCompressor } from "../../compressor.ts";
import { quantizedBlocks, quantizedOmega } from "./quantized_blocks.ts";

/**
 * DRIVE: {@linkcode eden} with one bit a number, the sign of each rotated number.
 *
 * - Guarantee: unbiased with variance ω ‖x‖², ω = π/2 − 1 = 0.571. With `biased: true` the scale is the one of least error
 *   and the result is contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α = 1/2 by Khintchine's inequality; measured was 1 − 2/π = 0.363.
 * - Message: a bit a number and a float32 for each block of 8192.
 * - Source: Vargaftik et al.: "DRIVE", arXiv:2105.08339.
 * - Choose it where one bit a number is to be unbiased, or to have a bound for every vector.
 *
 * @example
 * ```ts
 * import { compress, decompress, drive, key } from "@gradwire/tfjs";
 * const x = Float32Array.of(0, 0, 3, 0), y = decompress(drive(), compress(drive(), x, key(1)), key(1), 4);
 * console.assert(Math.abs(y[2]! - 3) < 1e-5); // ⟨y, x⟩ = ‖x‖² in every draw
 * ```
 */
export function drive(options?: { readonly biased?: false }): UnbiasedCompressor;
/** With the scale of least error: contractive. */
export function drive(options: { readonly biased: true }): ContractiveCompressor;
export function drive(options: { readonly biased?: boolean } = {}): UnbiasedCompressor | ContractiveCompressor {
  const { biased = false } = checkOptions("make drive", options, ["biased"]);
  checkBoolean("make drive", "biased", biased);
  const shared = quantizedBlocks("drive", 1, biased);
  return biased
    ? { ...shared, options: { biased }, everyDraw: false, alpha: (size) => size > 1 ? 1 / 2 : 0 }
    : { ...shared, options: {}, omega: (size) => quantizedOmega(1, size) };
}
