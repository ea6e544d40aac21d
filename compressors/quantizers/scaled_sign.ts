import { checkInteger, checkOptions } from "../../options.ts";
import { requireLength, requirePadding } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import type { ContractiveCompressor } from "../compressor.ts";
import { addSigns, packSigns } from "../kernels/signs.ts";
import { sumOfMagnitudes } from "../kernels/sums.ts";

/**
 * Scaled sign: every number becomes its sign times the mean magnitude, ‖x‖₁ / d for d numbers; 0 counts as positive. With
 * `block`, each run of `block` numbers (1 to 2³¹) has a mean of its own.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw, with α = 1 − 1/d and d the length of a block; the error is
 *   ‖x‖² − ‖x‖₁² / d, which reaches α where one number alone is not 0. On Gaussian vectors it is 1 − 2/π = 0.363 of ‖x‖².
 * - Message: for each block a float32 and one bit a number.
 * - Source: Karimireddy, Rebjock, Stich, Jaggi, arXiv:1901.09847; Zheng, Huang, Kwok, arXiv:1905.10936 (blocks).
 * - Choose it for one bit a number with error feedback. A number that is always 0 comes out as ± the mean, and so needs it.
 *
 * @throws {RangeError} unless block is an integer of at least 1
 *
 * @example
 * ```ts
 * import { compress, decompress, key, scaledSign } from "@gradwire/tfjs";
 * const message = compress(scaledSign(), Float32Array.of(1, -2, 3, -4), key(1));
 * console.assert(message.length === 5);
 * console.assert(decompress(scaledSign(), message, key(1), 4).join() === "2.5,-2.5,2.5,-2.5");
 * ```
 */
export function scaledSign(options: { readonly block?: number } = {}): ContractiveCompressor {
  const { block } = checkOptions("make scaledSign", options, ["block"]);
  if (block !== undefined) checkInteger("make scaledSign", "block", block, 1, 2 ** 31);
  const lengthOf = (size: number) => Math.max(1, Math.min(block ?? size, size));
  const byteLength = (size: number) => {
    const length = lengthOf(size), whole = Math.floor(size / length), rest = size % length;
    return whole * (4 + Math.ceil(length / 8)) + (rest > 0 ? 4 + Math.ceil(rest / 8) : 0);
  };
  return {
    name: "scaledSign",
    options: block === undefined ? {} : { block },
    everyDraw: true,
    alpha: (size) => 1 - 1 / lengthOf(size),
    maxByteLength: byteLength,
    encode(vector, _key, message) {
      const size = vector.length, length = lengthOf(size);
      let at = 0;
      for (let from = 0; from < size; from += length) {
        const part = length === size ? vector : vector.subarray(from, Math.min(size, from + length));
        at = writeFloat(sumOfMagnitudes(part) / part.length, message, at);
        at = packSigns(part, message, at);
      }
      return at;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length, length = lengthOf(size);
      requireLength("scaledSign", message, byteLength(size));
      for (let from = 0, at = 0; from < size; from += length) {
        const part = length === size ? into : into.subarray(from, Math.min(size, from + length));
        const magnitude = scale * readScale("scaledSign", message, at);
        requirePadding("scaledSign", message, 8 * (at + 4) + part.length);
        addSigns(message, at + 4, magnitude, -magnitude, part);
        at += 4 + Math.ceil(part.length / 8);
      }
    },
  };
}
