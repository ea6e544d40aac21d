import { checkBoolean, checkOptions } from "../../options.ts";
import { choose } from "../../random.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import type { LinearCompressor, UnbiasedCompressor } from "../compressor.ts";
import { type Count, countOf } from "./count.ts";
import { gatherFloats, scatterFloats } from "../kernels/gather_floats.ts";
import { scratch } from "../kernels/scratch.ts";
import type { Sparsifier } from "./sparsifier.ts";

const indicesOf = scratch(Uint32Array);

/**
 * Rand-k: k numbers at indices drawn from the key, without replacement, times d/k; the others become 0. `k`, or
 * max(1, ⌊ratio · d⌋). Unbiased with variance (d/k − 1) ‖x‖² for every x: ω = d/k − 1.
 *
 * The message is the k values as float32, 32 k bits: the receiver draws the same indices.
 *
 * `shared: true` is for one index set on all ranks: the compressor is then {@linkcode LinearCompressor}, every rank encodes
 * with the step's shared key, and the messages may be summed as they are. Its noise does not fall with the number of
 * ranks, but vanishes where the mean of the vectors does, even if the vectors differ.
 *
 * Numbers whose multiple by d/k would exceed float32 are clamped.
 *
 * Source: Konečný, McMahan, Yu, Richtárik, Suresh, Bacon, arXiv:1610.05492; Wangni, Wang, Liu, Zhang, arXiv:1710.09854.
 *
 * @throws {TypeError} unless one of k and ratio is given
 * @throws {RangeError} unless k is an integer ≥ 1, or 0 < ratio ≤ 1
 *
 * @example
 * ```ts
 * import { compress, decompress, key, randK } from "@gradwire/tfjs";
 * const half = randK({ ratio: 0.5 }), message = compress(half, Float32Array.of(1, 1, 1, 1), key(1));
 * console.assert(message.length === 8);
 * console.assert([...decompress(half, message, key(1), 4)].sort().join() === "0,0,2,2");
 * ```
 */
export function randK(count: Count & { readonly shared: true }): UnbiasedCompressor & LinearCompressor & Sparsifier;
/** Each rank its own index set. */
export function randK(count: Count & { readonly shared?: boolean }): UnbiasedCompressor & Sparsifier;
export function randK(
  options: Count & { readonly shared?: boolean },
): (UnbiasedCompressor & Sparsifier) | (UnbiasedCompressor & LinearCompressor & Sparsifier) {
  const { shared = false, ...count } = checkOptions("make randK", options, ["k", "ratio", "shared"]);
  checkBoolean("make randK", "shared", shared);
  const countFor = countOf("randK", count);
  const compressor: UnbiasedCompressor & Sparsifier = {
    name: "randK",
    options: shared ? { ...count, shared } : { ...count },
    kept: countFor,
    keyed: true,
    select: (vector, key, indices) => void choose(key, countFor(vector.length), vector.length, indices),
    omega: (size) => size === 0 ? 0 : size / countFor(size) - 1,
    maxByteLength: (size) => 4 * countFor(size),
    encode(vector, key, message) {
      const size = vector.length, k = countFor(size), indices = choose(key, k, size, indicesOf(k));
      // A little below what the receiver accepts: the float32 may be rounded up.
      return gatherFloats(vector, indices, k, message, 0, 0.999999 * MAX_FLOAT32 * k / size);
    },
    decodeAdd(message, key, scale, into) {
      const size = into.length, k = countFor(size), factor = k === 0 ? 1 : size / k;
      requireLength("randK", message, 4 * k);
      const most = scatterFloats(message, 0, choose(key, k, size, indicesOf(k)), k, scale * factor, into);
      if (!(most * factor <= MAX_FLOAT32)) refuse("randK", `a value is ${most} · ${factor}, expected a finite number`);
    },
  };
  return shared ? { ...compressor, linearLength: countFor } : compressor;
}
