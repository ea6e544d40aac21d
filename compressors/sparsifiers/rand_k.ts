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
 * Rand-k: keeps k numbers at random, without replacement, or max(1, ⌊ratio · d⌋) of d numbers, and multiplies them by d/k; the
 * others become 0. Numbers that would exceed float32 when multiplied are held to it.
 *
 * With `shared` the compressor is a {@linkcode LinearCompressor}: all ranks keep the same indices, as they encode with the step's
 * shared key, and their messages may be summed as they are. The noise does not fall with the number of ranks then, but it
 * vanishes where the mean of the vectors does, even if they differ.
 *
 * - Guarantee: unbiased with variance ω ‖x‖² for every vector, ω = d/k − 1.
 * - Message: the numbers kept as float32, 32 k bits; the key tells their indices.
 * - Source: Konečný, McMahan, Yu, Richtárik, Suresh, Bacon, arXiv:1610.05492; Wangni, Wang, Liu, Zhang, arXiv:1710.09854.
 * - Choose it where theory asks for it, or `shared` where messages may be summed on their way.
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
/** Each rank keeps indices of its own. */
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
      // A millionth below the largest number that the receiver accepts, since the float32 may be rounded up.
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
