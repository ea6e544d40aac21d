import type { Key } from "../../random.ts";
import type { Compressor } from "../compressor.ts";

/** A compressor that keeps a fixed count of numbers, whose values {@linkcode compose} can quantize. */
export interface Sparsifier extends Compressor {
  /** How many of `size` numbers are kept. */
  kept(size: number): number;
  /** Writes the indices of the numbers kept to the first kept(vector.length) places of `indices`, ascending. */
  select(vector: Float32Array, key: Key, indices: Uint32Array): void;
  /** Whether `select` looks at the length of the vector and the key alone, so that the indices need not be sent. */
  readonly keyed: boolean;
}

/** Whether a compressor tells which numbers it keeps. */
export function isSparsifier(compressor: Compressor): compressor is Sparsifier {
  return "select" in compressor;
}
