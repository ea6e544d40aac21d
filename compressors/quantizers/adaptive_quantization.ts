import { checkNumber, checkOptions } from "../../options.ts";
import { readFloat, writeFloat } from "../coding/floats.ts";
import type { ContractiveCompressor } from "../compressor.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../coding/integer_model.ts";
import { selectBySign } from "../kernels/select_by_sign.ts";
import { refuse } from "../coding/refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode adaptiveQuantization}. */
export interface AdaptiveQuantizationOptions {
  /** Share of the positive, and of the negative, numbers that are sent: above 0, at most 1. */
  readonly proportion: number;
}

/**
 * Adaptive quantization of Dryden et al.: the largest ⌈proportion · n₊⌉ of the n₊ positive numbers are sent as their mean,
 * the largest in magnitude of the negative ones as theirs; all others are 0. Used with error feedback, which keeps what was
 * not sent. Two floats and the entropy of the positions and signs: about proportion · (log₂(1 / proportion) + 2.4) bits a
 * number.
 *
 * The error is ‖x‖² − S₊² / m₊ − S₋² / m₋ (S: sums of the m numbers that were sent), hence for every draw
 * α = 1 − min(max(proportion, 1/d), 1 / ⌈proportion · d⌉): reached by equal magnitudes, and by one number among tiny ones
 * of its sign. That is .98 for half of 100 numbers, and near 1 for large d; on gaussians it is far less.
 *
 * Source: Dryden, Moon, Jacobs, Van Essen: "Communication quantization for data-parallel training of deep neural
 * networks", MLHPC 2016; the thresholds here are exact, by radix selection. Working memory: 4 bytes a number.
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
      // A mean is 0 where no number of its sign is sent, and only there.
      if (signs.includes(1) !== above > 0 || signs.includes(-1) !== below < 0) {
        refuse(name, `its means are ${above} and ${below}, and its signs are others`);
      }
      for (let i = 0; i < into.length; i++) if (signs[i] !== 0) into[i]! += signs[i]! > 0 ? positive : negative;
    },
  };
}
