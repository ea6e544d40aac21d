import { checkChoice, checkOptions } from "../../options.ts";
import { readFloat, writeFloat } from "../coding/floats.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { type Count, countOf } from "./count.ts";
import { addClamped, clampVector } from "../kernels/float32.ts";
import { waterLevel } from "../kernels/water_filling.ts";
import { optimalSparsification } from "./optimal_sparsification.ts";
import { randK } from "./rand_k.ts";
import { scratch } from "../kernels/scratch.ts";

/** Options of {@linkcode randomizedMean}, beside how many numbers are kept. */
export interface RandomizedMeanOptions {
  /**
   * "optimal" (default): number xᵢ is kept with probability min(1, |xᵢ − μ| / t), where t is such that k are kept on average.
   * "uniform": k indices drawn from the key, which take no bits.
   */
  readonly probabilities?: "optimal" | "uniform";
  /** The centre μ: "optimal" (default), the best one for the probabilities, or "zero". */
  readonly centre?: "optimal" | "zero";
}

/** How often the best centre for the probabilities and the probabilities for the centre are found in turn. More gain less than 1 %. */
const ROUNDS = 4;

/**
 * Randomized distributed mean estimation: every number becomes the centre μ of the vector, or, with a probability pᵢ,
 * μ + (xᵢ − μ) / pᵢ. It is `optimalSparsification` or `randK` of the vector less its centre.
 *
 * At uniform probabilities the best centre is the mean. At optimal ones the centre and the probabilities are found in turn.
 *
 * - Guarantee: unbiased with variance Σ (1/pᵢ − 1) (xᵢ − μ)², or (d/k − 1) ‖x − μ‖² for k uniform indices of d numbers, and at
 *   most ω ‖x‖² with ω = d/k − 1, which vectors reach whose best centre is 0.
 * - Message: μ as float32 and that of the sparsifier.
 * - Memory: one vector, and that of the sparsifier.
 * - Source: Konečný, Richtárik: "Randomized distributed mean estimation: accuracy vs. communication", arXiv:1611.07555.
 * - Choose it where numbers lie around a value other than 0, as after a ReLU.
 *
 * @throws {TypeError | RangeError} see {@linkcode topK} for k and ratio; TypeError if another option is not one of its choices
 *
 * @example
 * ```ts
 * import { compress, decompress, key, randomizedMean } from "@gradwire/tfjs";
 * const c = randomizedMean({ k: 1 }), x = Float32Array.of(5, 5, 5, 9);
 * const values = decompress(c, compress(c, x, key(1)), key(1), 4);
 * console.assert(values.join() === "5,5,5,9"); // one number off the centre, and one is kept
 * ```
 */
export function randomizedMean(options: Count & RandomizedMeanOptions): UnbiasedCompressor {
  const known = ["k", "ratio", "probabilities", "centre"];
  const { probabilities = "optimal", centre = "optimal", ...count } = checkOptions(
    "make randomizedMean",
    options,
    known,
  );
  checkChoice("make randomizedMean", "probabilities", probabilities, ["optimal", "uniform"]);
  checkChoice("make randomizedMean", "centre", centre, ["optimal", "zero"]);
  const countFor = countOf("randomizedMean", count), uniform = probabilities === "uniform";
  const inner = uniform ? randK(count) : optimalSparsification(count), restOf = scratch(Float32Array);
  return {
    name: "randomizedMean",
    options: { ...count, probabilities, centre },
    omega: (size) => inner.omega(size),
    maxByteLength: (size) => 4 + inner.maxByteLength(size),
    encode(vector, key, message) {
      const size = vector.length, rest = restOf(size);
      const middle = centre === "zero" || size === 0
        ? 0
        : uniform
        ? mean(vector)
        : bestCentre(vector, rest, countFor(size));
      const at = writeFloat(middle, message, 0);
      subtract(vector, readFloat("randomizedMean", message, 0), rest);
      return at + inner.encode(rest, key, message.subarray(at));
    },
    decodeAdd(message, key, scale, into) {
      const sum = restOf(into.length).fill(readFloat("randomizedMean", message, 0));
      inner.decodeAdd(message.subarray(4), key, 1, sum);
      addClamped(sum, 1, scale, into);
    },
  };
}

function mean(vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]!;
  return sum / vector.length;
}

/** Sets rest to vector − centre, held within float32. */
function subtract(vector: Float32Array, centre: number, rest: Float32Array): void {
  for (let i = 0; i < vector.length; i++) rest[i] = vector[i]! - centre;
  clampVector(rest);
}

/**
 * The best centre that is met on the way: from the mean, which has no more variance than the centre 0, to the optimal
 * probabilities pᵢ for it, to the best centre for these, Σ wᵢ xᵢ / Σ wᵢ with wᵢ = 1/pᵢ − 1, and so on. `budget` is how many
 * numbers are kept on average.
 */
function bestCentre(vector: Float32Array, rest: Float32Array, budget: number): number {
  let best = 0, least = Infinity;
  for (let round = 0, centre = mean(vector); round < ROUNDS; round++) {
    subtract(vector, centre, rest);
    const level = waterLevel(rest, budget);
    let variance = 0, weights = 0, weighted = 0;
    for (let i = 0; i < rest.length; i++) {
      const magnitude = Math.abs(rest[i]!);
      if (magnitude >= level) continue;
      variance += magnitude * (level - magnitude);
      // Without a limit the weight of a number that equals the centre would be infinite and hold the centre there.
      const weight = Math.min(1e6, level / magnitude) - 1;
      weights += weight, weighted += weight * vector[i]!;
    }
    if (!(variance < least)) break;
    best = centre, least = variance;
    if (!(weights > 0)) break;
    centre = weighted / weights;
  }
  return best;
}
