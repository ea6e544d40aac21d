import { refuse, requireBitLength } from "../coding/refuse.ts";
import type { ContractiveCompressor } from "../compressor.ts";
import { type Count, countOf } from "./count.ts";
import { decodeIndexSet, encodeIndexSet, indexSetBitLength } from "../coding/index_set.ts";
import { selectLargest } from "../kernels/select_largest.ts";
import { gatherFloats, scatterFloats } from "../kernels/gather_floats.ts";
import { scratch } from "../kernels/scratch.ts";
import type { Sparsifier } from "./sparsifier.ts";

const indicesOf = scratch(Uint32Array);

/**
 * Top-k: keeps the k numbers of largest magnitude, or max(1, ⌊ratio · d⌋) of d numbers; the others become 0. Of equal magnitudes
 * those of lower index are kept.
 *
 * Histograms of the bits of the floats select them, without a sort: a million numbers in 5 ms.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw, with α = 1 − k/d, which equal magnitudes reach. The error is the
 *   sum of the squares left out.
 * - Message: k float32 and their indices, about k (log₂(d/k) + 1.5) bits.
 * - Source: Aji, Heafield, arXiv:1704.05021; Stich, Cordonnier, Jaggi, arXiv:1809.07599.
 * - Choose it with error feedback, where a few numbers hold most of the gradient.
 *
 * @throws {TypeError} unless one of k and ratio is given
 * @throws {RangeError} unless k is an integer ≥ 1, or 0 < ratio ≤ 1
 *
 * @example
 * ```ts
 * import { compress, decompress, key, topK } from "@gradwire/tfjs";
 * const message = compress(topK({ k: 2 }), Float32Array.of(1, -2, 3, -4), key(1));
 * console.assert(decompress(topK({ k: 2 }), message, key(1), 4).join() === "0,0,3,-4");
 * ```
 */
export function topK(count: Count): ContractiveCompressor & Sparsifier {
  const countFor = countOf("topK", count);
  return {
    name: "topK",
    options: { ...count },
    everyDraw: true,
    kept: countFor,
    keyed: false,
    select: (vector, _key, indices) => selectLargest(vector, countFor(vector.length), indices),
    alpha: (size) => size === 0 ? 0 : 1 - countFor(size) / size,
    maxByteLength: (size) => 4 * countFor(size) + ((indexSetBitLength(countFor(size), size) + 7) >>> 3),
    encode(vector, _key, message) {
      const size = vector.length, k = countFor(size), indices = indicesOf(k);
      selectLargest(vector, k, indices);
      const end = encodeIndexSet(indices, k, size, message, 8 * gatherFloats(vector, indices, k, message, 0));
      return (end + 7) >>> 3;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length, k = countFor(size), indices = indicesOf(k);
      if (message.length < 4 * k) {
        refuse(
          "topK",
          `the message has ${message.length} bytes, expected at least ${4 * k} for ${k} of ${size} numbers`,
        );
      }
      requireBitLength("topK", message, decodeIndexSet(message, 32 * k, k, size, indices));
      const most = scatterFloats(message, 0, indices, k, scale, into);
      if (!Number.isFinite(most)) refuse("topK", `a value is ${most}, expected a finite number`);
    },
  };
}
