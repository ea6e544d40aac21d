import { checkChoice, checkOptions } from "../../options.ts";
import { readFloat, writeFloat } from "../coding/floats.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { type Count, countOf } from "./count.ts";
import { addClamped, clampVector } from "../kernels/float32.ts";
import { waterLevel } from "../kernels/water_filling.ts";
import { optimalSparsification } from "./optimal_sparsification.ts";
import { randK } from "./rand_k.ts";
import { scratch } from "../kernels/scratch.ts";

/** What {@linkcode randomizedMean} keeps beside how many. */
export interface RandomizedMeanOptions {
  /** "optimal" (default): pᵢ = min(1, |xᵢ − μ| / t). "uniform": k indices drawn from the key, which cost nothing. */
  readonly probabilities?: "optimal" | "uniform";
  /** The node centre μ: "optimal" (default), the best for the probabilities, or "zero". */
  readonly centre?: "optimal" | "zero";
}

/** Rounds of centre given probabilities and probabilities given centre; more gain less than 1 %. */
const ROUNDS = 4;

/**
 * Randomized distributed mean estimation: every number is μ, the node centre, and with probability pᵢ instead
 * μ + (xᵢ − μ) / pᵢ; k numbers in the mean (k at uniform probabilities, then exactly k). Unbiased with variance
 * Σ (1/pᵢ − 1) (xᵢ − μ)² where draws are independent, and (d/k − 1) ‖x − μ‖² for k uniform indices: the variance of
 * optimalSparsification and randK for a vector whose centre was removed. ω = d/k − 1, attained where the centre is 0. Pays
 * where the numbers have a common part, as after a ReLU.
 *
 * The best centre at uniform probabilities is the mean; at optimal ones it and the probabilities are found in turn. The
 * message is μ (32 bits) and that of the sparsifier. Working memory: one vector.
 *
 * Source: Konečný, Richtárik: "Randomized distributed mean estimation: accuracy vs. communication", arXiv:1611.07555.
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

/** rest := vector − centre, taken into the range of float32. */
function subtract(vector: Float32Array, centre: number, rest: Float32Array): void {
  for (let i = 0; i < vector.length; i++) rest[i] = vector[i]! - centre;
  clampVector(rest);
}

/**
 * The centre of the least variance that turns up: from the mean, whose variance is at most that of 0, in turns to the
 * level of optimal probabilities and to Σ wᵢ xᵢ / Σ wᵢ, wᵢ = 1/pᵢ − 1.
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
      // A number that equals the centre would hold it there for ever.
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
