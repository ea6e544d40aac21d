/** The interfaces of a compressor. @module */

import type { Key } from "../random.ts";

/** The options of a compressor, as they are compared between ranks and printed. */
export type CompressorOptions = Readonly<Record<string, number | string | boolean>>;

/** Maps vectors to messages: a pure function of (vector, key). Options, never state. */
export interface Compressor {
  /** Its factory's name, for instance "topK". */
  readonly name: string;
  /** What its factory was called with. */
  readonly options: CompressorOptions;
  /** The positional arguments of its factory, for one made of others: `bucketed(qsgd(), 512)` has two. */
  readonly parts?: readonly (Compressor | number)[];
  /** Whether C(vector) is the vector, to the last bit, for every key. Absent means no. */
  readonly lossless?: boolean;
  /** The most bytes that `encode` may write for a vector of `size` numbers. */
  maxByteLength(size: number): number;
  /**
   * Writes C(vector) to the start of `message` and returns the bytes written. Equal vector and key, equal bytes.
   * Does not modify `vector`, which must be finite; `message` must hold `maxByteLength(vector.length)` bytes.
   */
  encode(vector: Float32Array, key: Key, message: Uint8Array): number;
  /**
   * into += scale · C(vector), from the message and the key that it was encoded with. Finite numbers are added, whatever
   * the bytes are, as long as the sums are finite.
   *
   * What it throws at may have been added in part: combinators and entropy codes find some faults in the middle of a
   * message. Whoever goes on after a refusal decodes into a vector of its own first, as {@linkcode decompress} does.
   *
   * @throws {RangeError} if the message is not one of this compressor's for a vector of into.length numbers
   */
  decodeAdd(message: Uint8Array, key: Key, scale: number, into: Float32Array): void;
}

/** U(ω): E C(x) = x and E‖C(x) − x‖² ≤ ω ‖x‖² for every x. */
export interface UnbiasedCompressor extends Compressor {
  /** ω for vectors of `size` numbers. */
  omega(size: number): number;
}

/** A compressor whose ω is smaller on vectors without peaks, such as `rotated` makes of any vector. */
export interface FlatOmega {
  /** ω on random vectors of `size` numbers for which size · E max xᵢ² ≤ peak · ‖x‖². Undefined where it is not smaller. */
  readonly omegaFlat?: ((size: number, peak: number) => number) | undefined;
}

/** B(α): E‖C(x) − x‖² ≤ α ‖x‖² for every x, 0 ≤ α < 1. (Others write δ = 1 − α; this is the α of arXiv:2010.03246.) */
export interface ContractiveCompressor extends Compressor {
  /** α for vectors of `size` numbers. */
  alpha(size: number): number;
  /** Whether the bound holds for every draw, C(α), and not only in the mean. */
  readonly everyDraw: boolean;
}

/**
 * A compressor that is linear for a fixed key, and whose message is C(vector) in `length` little-endian float32: messages
 * that all ranks encode with one key add up to the message of the sum, so an all-reduce of them serves. Its noise is
 * common to the ranks: the mean over n of them has variance ω ‖mean‖², not less with n.
 */
export interface LinearCompressor extends Compressor {
  /** Float32 in a message for a vector of `size` numbers. */
  linearLength(size: number): number;
}

/** Whether a compressor's messages may be summed. All ranks then encode with the step's shared key. */
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

/** A compressor as text, as one would write it: `topK({ k: 3 })`, `contractive(randK({ k: 3 }))`. Equal texts, equal maps. */
export function describe({ name, options, parts = [] }: Compressor): string {
  const list = Object.entries(options).map(([option, value]) => `${option}: ${JSON.stringify(value)}`);
  const positional = parts.map((part) => typeof part === "number" ? String(part) : describe(part));
  return `${name}(${[...positional, ...(list.length === 0 ? [] : [`{ ${list.join(", ")} }`])].join(", ")})`;
}
