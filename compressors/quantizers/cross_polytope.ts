import { checkChoice, checkInteger, checkOptions } from "../../options.ts";
import { bits, type Key } from "../../random.ts";
import { requireBitLength, requireLength } from "../coding/refuse.ts";
import { readScale, writeFloat } from "../coding/floats.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { decodeIndexSet, encodeIndexSet, indexSetBitLength } from "../coding/index_set.ts";
import { sumOfMagnitudes, sumOfSquares } from "../kernels/sums.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode crossPolytope}. */
export interface CrossPolytopeOptions {
  /** How many vertices are drawn, R: 1 to 2²⁴. */
  readonly draws: number;
  /** The cross-polytope: the one on whose surface the vector x lies ("l1", default), or the one around the ball of radius ‖x‖ ("l2"). */
  readonly norm?: "l1" | "l2";
}

const words = scratch(Uint32Array), drawsOf = scratch(Float64Array), indicesOf = scratch(Uint32Array);

/**
 * Vector quantization by the vertices of a cross-polytope (vqSGD): the vector x is a mean of the vertices ± ρ eᵢ, where
 * eᵢ are the unit vectors; R vertices are drawn accordingly, and the result is their mean.
 *
 * - `norm: "l1"`: ρ = ‖x‖₁, and the vertex on the side of xᵢ has probability |xᵢ| / ρ. The variance is
 *   (‖x‖₁² − ‖x‖²) / R: never more than with "l2", and far less for vectors of a few large numbers.
 * - `norm: "l2"`, the paper's: ρ = ‖x‖ √d for d numbers, and ± eᵢ has probability
 *   max(0, ± xᵢ) / ρ + (1 − ‖x‖₁ / ρ) / 2d.
 * - Guarantee: unbiased with variance at most ω ‖x‖², ω = (d − 1) / R: every vector reaches it with "l2", vectors of equal
 *   magnitudes with "l1".
 * - Message: ρ as float32 and the multiset of vertices, log₂ C(2d + R − 1, R) bits, and up to 3 % more where 2d + R − 1
 *   exceeds 2¹⁶. That is about R log₂(2 e d / R) bits where R is far below d. Encoding sorts the R draws, not the vector.
 * - Source: Gandikota, Kane, Maity, Mazumdar: "vqSGD: vector quantized stochastic gradient descent", arXiv:1911.07971.
 * - Choose it where a whole message may have only a few bytes.
 *
 * @throws {RangeError} unless draws is an integer from 1 to 2²⁴
 * @throws {TypeError} if norm is none of the two
 *
 * @example
 * ```ts
 * import { compress, crossPolytope, key } from "@gradwire/tfjs";
 * console.assert(crossPolytope({ draws: 10 }).omega(101) === 10);
 * const x = new Float32Array(1000).fill(1);
 * console.assert(compress(crossPolytope({ draws: 1 }), x, key(1)).length <= 4 + 2); // one of 2000
 * ```
 */
export function crossPolytope(options: CrossPolytopeOptions): UnbiasedCompressor {
  const { draws, norm = "l1" } = checkOptions("make crossPolytope", options, ["draws", "norm"]);
  checkInteger("make crossPolytope", "draws", draws, 1, 2 ** 24);
  checkChoice("make crossPolytope", "norm", norm, ["l1", "l2"]);
  // A multiset of R out of N vertices is a set of R out of N + R − 1 places: the r-th vertex in order takes place vertex + r.
  const places = (size: number) => 2 * size + draws - 1;
  return {
    name: "crossPolytope",
    options: { draws, norm },
    omega: (size) => Math.max(0, size - 1) / draws,
    maxByteLength: (size) => size === 0 ? 0 : 4 + ((indexSetBitLength(draws, places(size)) + 7) >>> 3),
    encode(vector, key, message) {
      const size = vector.length, sum = sumOfMagnitudes(vector);
      if (size === 0) return 0;
      const radius = norm === "l1" ? sum : Math.max(sum, Math.sqrt(size * sumOfSquares(vector)));
      const at = writeFloat(Math.min(MAX_FLOAT32, radius), message, 0), indices = indicesOf(draws);
      if (!(readScale("crossPolytope", message, 0) > 0)) return at;
      drawVertices(vector, key, radius, sum, norm === "l1" ? 0 : radius - sum, draws, indices);
      return (encodeIndexSet(indices, draws, places(size), message, 8 * at) + 7) >>> 3;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length;
      if (size === 0) return requireLength("crossPolytope", message, 0);
      const radius = readScale("crossPolytope", message, 0), indices = indicesOf(draws);
      if (radius === 0) return requireLength("crossPolytope", message, 4);
      const end = decodeIndexSet(message, 32, draws, places(size), indices), unit = scale * radius / draws;
      requireBitLength("crossPolytope", message, end);
      // A vertex that was drawn several times is added once, so that no partial sum overflows.
      for (let r = 0; r < draws;) {
        const vertex = indices[r]! - r, first = r;
        while (r < draws && indices[r]! - r === vertex) r++;
        into[vertex >>> 1]! += (vertex & 1) === 1 ? -unit * (r - first) : unit * (r - first);
      }
    },
  };
}

/**
 * Draws `draws` vertices, each with probability in proportion to its mass, and writes the r-th of them in ascending order as
 * the index vertex + r. Vertex 2 i is + eᵢ and vertex 2 i + 1 is − eᵢ. The vertex on the side of xᵢ has mass |xᵢ|, of which
 * all together are `sum`, and `rest` is spread equally over all vertices.
 */
function drawVertices(
  vector: Float32Array,
  key: Key,
  radius: number,
  sum: number,
  rest: number,
  draws: number,
  indices: Uint32Array,
): void {
  const total = Math.max(radius, sum + rest), each = rest / (2 * vector.length), sorted = drawsOf(draws);
  const random = bits(key, words(2 * draws));
  // 53 bits for each draw: the masses of a million numbers need more than 32.
  for (let r = 0; r < draws; r++) {
    sorted[r] = (random[2 * r]! * 2 ** 21 + (random[2 * r + 1]! >>> 11)) * 2 ** -53 * total;
  }
  sorted.sort();
  let mass = 0, r = 0;
  for (let i = 0, last = 0; i < vector.length && r < draws; i++) {
    const value = vector[i]!;
    if (value !== 0) last = i;
    mass += each + Math.max(0, value);
    for (; r < draws && sorted[r]! < mass; r++) indices[r] = 2 * i + r;
    mass += each + Math.max(0, -value);
    for (; r < draws && sorted[r]! < mass; r++) indices[r] = 2 * i + 1 + r;
    // Rounding may leave a draw above the sum of all masses: it goes to the last vertex that has mass.
    if (i === vector.length - 1) {
      for (; r < draws; r++) indices[r] = 2 * last + (vector[last]! < 0 ? 1 : 0) + r;
    }
  }
}
