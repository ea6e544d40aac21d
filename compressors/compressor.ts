/** The interfaces of a compressor. @module */

import type { Key } from "../random.ts";

/** The options of a compressor. Ranks compare them, and {@linkcode describe} prints them. */
export type CompressorOptions = Readonly<Record<string, number | string | boolean>>;

/**
 * A compressor C: it maps a vector to a message of fewer bytes, and a message to the vector C(vector) that it stands for. Both
 * depend on nothing but the vector, the key and the options: a compressor has no state.
 */
export interface Compressor {
  /** The name of the factory that made it, for instance "topK". */
  readonly name: string;
  /** The options that the factory was called with. */
  readonly options: CompressorOptions;
  /** The other arguments of the factory, if the compressor is made of others: `bucketed(qsgd({ levels: 7 }), 512)` has two. */
  readonly parts?: readonly (Compressor | number)[];
  /** Whether C(vector) is the vector itself, to the last bit, for every key. Default false. */
  readonly lossless?: boolean;
  /** The most bytes that `encode` may write for a vector of `size` numbers. */
  maxByteLength(size: number): number;
  /**
   * Writes the message of `vector` to the start of `message`, and returns its length in bytes. An equal vector and an equal
   * key give equal bytes.
   *
   * @param vector finite numbers, which are not modified
   * @param message room for `maxByteLength(vector.length)` bytes
   */
  encode(vector: Float32Array, key: Key, message: Uint8Array): number;
  /**
   * into += scale · C(vector), from the message and the key that it was encoded with. Only finite numbers are added,
   * whatever the bytes are.
   *
   * A part of the message may have been added before a fault in it is found, and stays then. To go on after a refusal,
   * decode into a vector of zeros first, as {@linkcode decompress} does.
   *
   * @throws {RangeError} if this compressor writes no such message for a vector of into.length numbers
   */
  decodeAdd(message: Uint8Array, key: Key, scale: number, into: Float32Array): void;
}

/** A compressor whose mean over all keys is the vector: E C(x) = x, with the variance E‖C(x) − x‖² ≤ ω ‖x‖², for every x. */
export interface UnbiasedCompressor extends Compressor {
  /** ω for vectors of `size` numbers. */
  omega(size: number): number;
}

/** A compressor whose ω is smaller on vectors without peaks, such as `rotated` makes of any vector. */
export interface FlatOmega {
  /** ω on random vectors of `size` numbers for which size · E max xᵢ² ≤ peak · ‖x‖². Undefined where it is not smaller. */
  readonly omegaFlat?: ((size: number, peak: number) => number) | undefined;
}

/**
 * A compressor that loses only a part of the vector: E‖C(x) − x‖² ≤ α ‖x‖² with 0 ≤ α < 1, for every x. This α is that of
 * arXiv:2010.03246; others write δ = 1 − α.
 */
export interface ContractiveCompressor extends Compressor {
  /** α for vectors of `size` numbers. */
  alpha(size: number): number;
  /** Whether the bound holds for every key, and not only in the mean over keys. */
  readonly everyDraw: boolean;
}

/**
 * A compressor that is linear for a fixed key, and whose messages are little-endian float32. The sum of messages that all
 * ranks encode with one key is the message of the sum, so an all-reduce of messages is enough. The error is then common to
 * the ranks: the mean over n ranks has the variance ω ‖mean‖², which does not fall with n.
 */
export interface LinearCompressor extends Compressor {
  /** How many float32 the message of a vector of `size` numbers has. */
  linearLength(size: number): number;
}

/** Whether messages of the compressor may be summed. All ranks then encode with the shared key of the step. */
export function isLinear(compressor: Compressor): compressor is LinearCompressor {
  return "linearLength" in compressor;
}

/** Whether a compressor declares an ω. */
export function isUnbiased(compressor: Compressor): compressor is UnbiasedCompressor {
  return "omega" in compressor;
}

/** Whether a compressor declares an α. */
export function isContractive(compressor: Compressor): compressor is ContractiveCompressor {
  return "alpha" in compressor;
}

/**
 * A compressor as one would write it in code: `contractive(randK({ k: 3 }))`. Compressors with equal texts do the same.
 *
 * @example
 * ```ts
 * import { contractive, describe, randK } from "@gradwire/tfjs";
 * console.assert(describe(contractive(randK({ k: 3 }))) === "contractive(randK({ k: 3 }))");
 * ```
 */
export function describe({ name, options, parts = [] }: Compressor): string {
  const list = Object.entries(options).map(([option, value]) => `${option}: ${JSON.stringify(value)}`);
  const positional = parts.map((part) => typeof part === "number" ? String(part) : describe(part));
  return `${name}(${[...positional, ...(list.length === 0 ? [] : [`{ ${list.join(", ")} }`])].join(", ")})`;
}
