import type { Key } from "../../random.ts";
import type { Compressor } from "../compressor.ts";

/** A compressor that keeps a fixed number of entries: what {@linkcode compose} quantizes. */
export interface Sparsifier extends Compressor {
  /** The number of entries kept of `size`. */
  kept(size: number): number;
  /** Writes their indices, ascending, to indices[0 .. kept(vector.length)). */
  select(vector: Float32Array, key: Key, indices: Uint32Array): void;
  /** Whether `select` looks at the vector's length and the key alone, so that indices need not be sent. */
  readonly keyed: boolean;
}

/** Whether a compressor tells which entries it keeps. */
export function isSparsifier(compressor: Compressor): compressor is Sparsifier {
  return "select" in compressor;
}
