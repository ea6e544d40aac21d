import { requireUnbiased } from "../check.ts";
import type { ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";

/**
 * Makes an unbiased compressor Q contractive: Q / (1 + ω), the factor of least error in the worst case.
 *
 * - Guarantee: contractive, E‖C(x) − x‖² ≤ α ‖x‖² on average over draws, with α = ω / (1 + ω).
 * - Message: that of Q.
 * - Choose it where a method with memory is to use an unbiased compressor.
 *
 * @example
 * ```ts
 * import { contractive, randK } from "@gradwire/tfjs";
 * console.assert(contractive(randK({ k: 3 })).alpha(12) === 0.75); // the k numbers as they are: 1 − k/d
 * ```
 */
export function contractive(compressor: UnbiasedCompressor): ContractiveCompressor {
  requireUnbiased("make contractive", compressor);
  const factor = (size: number) => 1 / (1 + compressor.omega(size));
  return {
    name: "contractive",
    options: {},
    parts: [compressor],
    everyDraw: false,
    // ω / (1 + ω), which stays accurate for small ω where 1 − 1 / (1 + ω) does not.
    alpha: (size) => compressor.omega(size) * factor(size),
    maxByteLength: (size) => compressor.maxByteLength(size),
    encode: (vector, key, message) => compressor.encode(vector, key, message),
    decodeAdd: (message, key, scale, into) => compressor.decodeAdd(message, key, scale * factor(into.length), into),
  };
}
