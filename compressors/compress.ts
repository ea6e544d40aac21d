/** Compressing one vector, and decompressing it. @module */

import type { Key } from "../random.ts";
import { show } from "../options.ts";
import { requireCall } from "./check.ts";
import type { Compressor } from "./compressor.ts";
import { sumOfSquares } from "./kernels/sums.ts";

/**
 * Compresses a vector into a message.
 *
 * @param vector finite numbers, which are not modified
 * @param key the source of the compressor's randomness; the receiver needs the same key
 * @param buffer where to write the message, `maxByteLength(vector.length)` bytes or more; by default a new array
 * @returns the message: the part of the buffer that was written
 * @throws {RangeError} if the buffer is too short, or a number of the vector is not finite
 * @throws {TypeError} if an argument is not of its type
 *
 * @example
 * ```ts
 * import { compress, decompress, identity, key } from "@gradwire/tfjs";
 * const message = compress(identity(), Float32Array.of(1, 2, 3), key(1));
 * console.assert(decompress(identity(), message, key(1), 3).join() === "1,2,3");
 * ```
 */
export function compress(compressor: Compressor, vector: Float32Array, key: Key, buffer?: Uint8Array): Uint8Array {
  requireCall("compress", compressor, key);
  if (!(vector instanceof Float32Array)) {
    throw new TypeError(
      `Cannot compress with ${compressor.name}: the vector is ${show(vector)}, expected a Float32Array${how(vector)}`,
    );
  }
  if (!(buffer === undefined || buffer instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot compress with ${compressor.name}: the buffer is ${show(buffer)}, expected a Uint8Array`,
    );
  }
  const most = compressor.maxByteLength(vector.length);
  buffer ??= new Uint8Array(most);
  if (buffer.length < most) {
    throw new RangeError(
      `Cannot compress ${vector.length} numbers with ${compressor.name}: the buffer has ${buffer.length} bytes, expected at least ${most}`,
    );
  }
  if (!Number.isFinite(sumOfSquares(vector))) {
    const at = vector.findIndex((value) => !Number.isFinite(value));
    throw new RangeError(
      `Cannot compress with ${compressor.name}: number ${at} is ${vector[at]}, expected finite ones`,
    );
  }
  return buffer.subarray(0, compressor.encode(vector, key, buffer));
}

/** How to make a Float32Array of something else. */
function how(vector: unknown): string {
  if (Array.isArray(vector) || ArrayBuffer.isView(vector)) return ": new Float32Array(vector)";
  return typeof (vector as { dataSync?: unknown } | undefined)?.dataSync === "function" ? ": await tensor.data()" : "";
}

/**
 * The vector that a message stands for.
 *
 * @param key the key that the message was encoded with
 * @param size how many numbers the vector has
 * @throws {RangeError} if the compressor writes no such message for a vector of this size
 * @throws {TypeError} if an argument is not of its type
 *
 * @example
 * ```ts
 * import { compress, decompress, key, topK } from "@gradwire/tfjs";
 * const message = compress(topK({ k: 1 }), Float32Array.of(1, -3, 2), key(1));
 * console.assert(decompress(topK({ k: 1 }), message, key(1), 3).join() === "0,-3,0");
 * ```
 */
export function decompress(compressor: Compressor, message: Uint8Array, key: Key, size: number): Float32Array {
  requireCall("decompress", compressor, key);
  if (!(message instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot decompress with ${compressor.name}: the message is ${
        show(message)
      }, expected bytes such as compress gives`,
    );
  }
  if (!(Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(
      `Cannot decompress with ${compressor.name}: the size is ${show(size)}, expected how many numbers the vector has`,
    );
  }
  const vector = new Float32Array(size);
  compressor.decodeAdd(message, key, 1, vector);
  return vector;
}
