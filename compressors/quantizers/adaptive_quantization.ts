import { checkNumber, checkOptions } from "../../options.ts";
import { readFloat, writeFloat } from "../coding/floats.ts";
import type { ContractiveCompressor } from "../compressor.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../coding/integer_model.ts";
import { selectBySign } from "../kernels/select_by_sign.ts";
import { refuse } from "../coding/refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode adaptiveQuantization}. */
export interface AdaptiveQuantizationOptions {
  /** The share of the positive numbers, and of the negative numbers, that is sent: above 0, at most 1. */
  readonly proportion: number;
}

/**
 * Adaptive quantization: the largest share `proportion` of the positive numbers is sent as their mean, the share of
 * largest magnitude of the negative numbers as theirs, and all other numbers become 0.
 *
 * With S₊ the sum of the m₊ = ⌈proportion · n₊⌉ numbers sent of the n₊ positive ones, and S₋ and m₋ those of the negative
 * ones, the squared error is ‖x‖² − S₊² / m₊ − S₋² / m₋.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw. For a vector x of d numbers
 *   α = 1 − min(max(proportion, 1/d), 1 / ⌈proportion · d⌉), which equal magnitudes reach, and one number among tiny ones of
 *   its sign. That is 0.98 for half of 100 numbers, and nearly 1 for large d; on Gaussian vectors it is far less.
 * - Message: two float32 and the positions and signs in an entropy code, about
 *   proportion · (log₂(1 / proportion) + 2.4) bits a number.
 * - Memory: 4 bytes a number.
 * - Source: Dryden, Moon, Jacobs, Van Essen: "Communication quantization for data-parallel training of deep neural
 *   networks", MLHPC 2016. The thresholds here are exact, found by radix selection.
 * - Choose it with error feedback, where positions of single numbers would cost more than values: it sends only signs.
 *
 * @throws {RangeError} unless 0 < proportion ≤ 1
 *
 * @example
 * ```ts
 * import { adaptiveQuantization, compress, decompress, key } from "@gradwire/tfjs";
 * const half = adaptiveQuantization({ proportion: 0.5 }), x = Float32Array.of(1, -2, 5, 0, -4, 3);
 * console.assert(decompress(half, compress(half, x, key(1)), key(1), 6).join() === "0,0,4,0,-4,4");
 * ```
 */
export function adaptiveQuantization(options: AdaptiveQuantizationOptions): ContractiveCompressor {
  const name = "adaptiveQuantization", doing = `make ${name}`;
  const { proportion } = checkOptions(doing, options, ["proportion"]);
  checkNumber(doing, "proportion", proportion, { above: 0, most: 1 });
  const memory = scratch(Int32Array);
  return {
    name: "adaptiveQuantization",
    options: { proportion },
    everyDraw: true,
    alpha: (size) => size === 0 ? 0 : 1 - Math.min(Math.max(proportion, 1 / size), 1 / Math.ceil(proportion * size)),
    maxByteLength: (size) => 8 + integersByteLength(size, 1),
    encode(vector, _key, message) {
      const signs = memory(vector.length).fill(0);
      writeFloat(selectBySign(vector, 1, proportion, signs), message, 0);
      writeFloat(selectBySign(vector, -1, proportion, signs), message, 4);
      return encodeIntegers(signs, 1, message, 8);
    },
    decodeAdd(message, _key, scale, into) {
      const above = readFloat(name, message, 0), below = readFloat(name, message, 4);
      if (above < 0 || below > 0) {
        refuse(name, `its means are ${above} and ${below}, expected one of at least 0 and one of at most 0`);
      }
      const positive = scale * above, negative = scale * below;
      const signs = decodeIntegers(message, 8, 1, memory(into.length));
      // A mean is 0 exactly where no number of its sign was sent.
      if (signs.includes(1) !== above > 0 || signs.includes(-1) !== below < 0) {
        refuse(name, `its means are ${above} and ${below}, and its signs are others`);
      }
      for (let i = 0; i < into.length; i++) if (signs[i] !== 0) into[i]! += signs[i]! > 0 ? positive : negative;
    },
  };
}
