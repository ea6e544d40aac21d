import { byteLengthOf, readCodes, type Width, writeCodes } from "../coding/fixed_width.ts";
import { refuse, requireBitLength } from "../coding/refuse.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { addPowers, roundToPowers } from "../kernels/powers_of_two.ts";
import { pack, unpack } from "../kernels/pack.ts";
import { scratch } from "../kernels/scratch.ts";
import { bits } from "../../random.ts";

const WIDTH: Width = { count: 512, bits: 9, perByte: 0 };

/**
 * Natural compression: every number is rounded at random, without bias, to one of the two powers of two around it.
 *
 * Zero and powers of two stay exact, and subnormal numbers are rounded by the same rule. Numbers above 2¹²⁷ become 2¹²⁷,
 * since the next power of two is no float32; only there the rounding is biased.
 *
 * - Guarantee: unbiased with variance at most ω ‖x‖², ω = 1/8, which numbers of 4/3 times a power of two reach.
 * - Message: sign and exponent, 9 bits a number, and 5 bits more for each subnormal result; no norm.
 * - Memory: a byte a number.
 * - Source: Horváth, Ho, Horváth, Sahu, Canini, Richtárik: "Natural compression", arXiv:1905.10988.
 * - Choose it where numbers differ in size by many powers of two and 9 bits are few enough.
 *
 * @example
 * ```ts
 * import { compress, decompress, key, naturalCompression } from "@gradwire/tfjs";
 * const message = compress(naturalCompression(), Float32Array.of(0, 1, -2, 3), key(1));
 * console.assert(message.length === 5); // 36 bits
 * const [zero, one, two, three] = decompress(naturalCompression(), message, key(1), 4);
 * console.assert(zero === 0 && one === 1 && two === -2 && (three === 2 || three === 4));
 * ```
 */
export function naturalCompression(): UnbiasedCompressor {
  const memory = scratch(Uint8Array), chunk = scratch(Uint32Array);
  return {
    name: "naturalCompression",
    options: {},
    omega: () => 1 / 8,
    maxByteLength: (size) => byteLengthOf(WIDTH, size) + Math.ceil(size * 5 / 8),
    encode(vector, key, message) {
      const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), small = memory(vector.length);
      let count = 0;
      const at = writeCodes(WIDTH, vector.length, message, 0, (codes, from) => {
        bits(key, codes, from);
        count += roundToPowers(words, from, codes, small.subarray(count));
      });
      if (count === 0) return at;
      const exponents = chunk(count);
      for (let i = 0; i < count; i++) exponents[i] = small[i]!;
      return pack(exponents, 5, message, at);
    },
    decodeAdd(message, _key, scale, into) {
      // The exponents of subnormal powers of two follow the codes, which tell how many there are.
      let count = 0;
      const at = readCodes(WIDTH, into.length, message, 0, (codes) => {
        for (let i = 0; i < codes.length; i++) count += (codes[i]! & 255) === 255 ? 1 : 0;
        if (codes.includes(256)) refuse("naturalCompression", "a number is −0, expected 0");
      });
      requireBitLength("naturalCompression", message, 8 * at + 5 * count);
      const small = memory(count);
      if (count > 0) {
        const exponents = chunk(count);
        unpack(message, at, 5, exponents);
        for (let i = 0; i < count; i++) {
          if (exponents[i]! > 22) {
            refuse("naturalCompression", `an exponent is ${exponents[i]}, expected at most 22`);
          }
          small[i] = exponents[i]!;
        }
      }
      let used = 0;
      readCodes(WIDTH, into.length, message, 0, (codes, from) => {
        used = addPowers(codes, small, used, scale, into, from);
      });
    },
  };
}
