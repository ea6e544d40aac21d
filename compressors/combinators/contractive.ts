import { requireUnbiased } from "../check.ts";
import type { ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";

/**
 * An unbiased compressor made contractive: Q / (1 + ω), the factor of least worst-case error. α = ω / (1 + ω) in the mean
 * over draws. The messages are those of Q.
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
    // 1 − 1/(1 + ω) would lose the small ones.
    alpha: (size) => compressor.omega(size) * factor(size),
    maxByteLength: (size) => compressor.maxByteLength(size),
    encode: (vector, key, message) => compressor.encode(vector, key, message),
    decodeAdd: (message, key, scale, into) => compressor.decodeAdd(message, key, scale * factor(into.length), into),
  };
}
