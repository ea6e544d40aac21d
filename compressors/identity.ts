/** The compressor that changes nothing. @module */

import { bytesOf } from "../bytes.ts";
import { refuse, requireLength } from "./coding/refuse.ts";
import type { ContractiveCompressor, LinearCompressor, UnbiasedCompressor } from "./compressor.ts";

/**
 * No compression: the vector as little-endian float32, 32 bits a number. ω = α = 0, for every draw.
 *
 * @example
 * ```ts
 * import { compress, identity, key } from "@gradwire/tfjs";
 * console.assert(compress(identity(), Float32Array.of(1, 2), key(0)).length === 8);
 * ```
 */
export function identity(): UnbiasedCompressor & ContractiveCompressor & LinearCompressor {
  return {
    name: "identity",
    options: {},
    everyDraw: true,
    lossless: true,
    omega: () => 0,
    alpha: () => 0,
    linearLength: (size) => size,
    maxByteLength: (size) => 4 * size,
    encode(vector, _key, message) {
      message.set(bytesOf(vector));
      return vector.byteLength;
    },
    decodeAdd(message, _key, scale, into) {
      requireLength("identity", message, into.byteLength);
      let finite = 0; // Becomes NaN if a value is not finite.
      if (message.byteOffset % 4 === 0) {
        const values = new Float32Array(message.buffer, message.byteOffset, into.length);
        for (let i = 0; i < into.length; i++) {
          const value = values[i]!;
          finite += value * 0, into[i]! += scale * value;
        }
      } else {
        const view = new DataView(message.buffer, message.byteOffset, message.length);
        for (let i = 0; i < into.length; i++) {
          const value = view.getFloat32(4 * i, true);
          finite += value * 0, into[i]! += scale * value;
        }
      }
      if (finite !== 0) refuse("identity", "a value is not finite");
    },
  };
}
