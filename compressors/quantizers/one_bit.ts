import { refuse, requireBitLength } from "../coding/refuse.ts";
import { readFloat, writeFloat } from "../coding/floats.ts";
import type { ContractiveCompressor } from "../compressor.ts";
import { addSigns, packSigns, signedSums } from "../kernels/signs.ts";

/**
 * The quantizer of 1-bit SGD: each number becomes the mean of all numbers of its sign, where 0 counts as positive.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw, with α = 1 − 1/d for d numbers; one number far larger than the
 *   others of its sign reaches it. On Gaussian vectors the error is 1 − 2/π = 0.363 of ‖x‖². It is never worse than
 *   `scaledSign`.
 * - Message: two means as float32 and one bit a number.
 * - Source: Seide, Fu, Droppo, Li, Yu: "1-bit stochastic gradient descent", Interspeech 2014.
 * - Choose it with error feedback, where numbers are not symmetric around 0. The authors take two means for each column of a
 *   weight matrix: `bucketed(oneBit(), rows)`.
 *
 * @example
 * ```ts
 * import { compress, decompress, key, oneBit } from "@gradwire/tfjs";
 * const message = compress(oneBit(), Float32Array.of(1, -2, 3, -4), key(1));
 * console.assert(message.length === 8 + 1);
 * console.assert(decompress(oneBit(), message, key(1), 4).join() === "2,-3,2,-3");
 * ```
 */
export function oneBit(): ContractiveCompressor {
  return {
    name: "oneBit",
    options: {},
    everyDraw: true,
    alpha: (size) => size === 0 ? 0 : 1 - 1 / size,
    maxByteLength: (size) => 8 + Math.ceil(size / 8),
    encode(vector, _key, message) {
      const { positive, negative, negatives } = signedSums(vector);
      writeFloat(negatives < vector.length ? positive / (vector.length - negatives) : 0, message, 0);
      writeFloat(negatives > 0 ? negative / negatives : 0, message, 4);
      return packSigns(vector, message, 8);
    },
    decodeAdd(message, _key, scale, into) {
      const high = readFloat("oneBit", message, 0), low = readFloat("oneBit", message, 4);
      if (high < 0 || low > 0) {
        refuse("oneBit", `its means are ${high} and ${low}, expected one of at least 0 and one of at most 0`);
      }
      requireBitLength("oneBit", message, 64 + into.length);
      if (message.subarray(8).some((byte) => byte !== 0) !== low < 0) {
        refuse("oneBit", `the mean of negative numbers is ${low}, and its bits say otherwise`);
      }
      addSigns(message, 8, scale * high, scale * low, into);
    },
  };
}
