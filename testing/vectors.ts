/** Vectors on which faulty compressors fail. @module */

import { show } from "../options.ts";
import { fold, type Key, key, normal, uniform } from "../random.ts";

/** How each kind of vector is made, from its length and a key. */
const makers: Readonly<Record<string, (size: number, key: Key) => Float32Array>> = {
  gaussian,
  lognormal: (size, key) => {
    const magnitudes = gaussian(size, key).map((z) => Math.exp(2 * z));
    return magnitudes.map((m, i) => i % 3 === 1 ? -m : m);
  },
  heavySparse: (size, key) => {
    const keep = uniform(fold(key, 1), new Float32Array(size));
    return gaussian(size, key).map((z, i) => keep[i]! < 0.1 ? z ** 3 : 0);
  },
  allEqual: (size) => new Float32Array(size).fill(0.7),
  allNegative: (size, key) => gaussian(size, key).map((z) => -Math.abs(z) - 0.1),
  oneHot: (size) => new Float32Array(size).map((_, i) => i === size >> 1 ? -3 : 0),
  twoHot: (size) => new Float32Array(size).map((_, i) => i === 0 ? 3 : i === 1 ? 1 : 0),
  alternating: (size) => new Float32Array(size).map((_, i) => i % 2 === 0 ? 1 : -1),
  ramp: (size) => new Float32Array(size).map((_, i) => i + 1),
  ties: (size, key) => gaussian(size, key).map((z) => Math.round(z)),
  offset: (size, key) => gaussian(size, key).map((z) => 5 + z),
  huge: (size, key) => gaussian(size, key).map((z) => z * 1e30),
  tiny: (size, key) => gaussian(size, key).map((z) => z * 1e-30),
  dynamic: (size, key) => gaussian(size, key).map((z, i) => (i % 2 === 0 ? 1 : -1) * 10 ** Math.min(38, 9 * z)),
  zeros: (size) => new Float32Array(size),
  negativeZeros: (size) => new Float32Array(size).fill(-0),
  subnormal: (size, key) => gaussian(size, key).map((z) => z * 1e-42),
  largest: (size, key) => gaussian(size, key).map((z) => z < 0 ? -3.4e38 : 1e38),
};

function gaussian(size: number, key: Key): Float32Array {
  return normal(key, new Float32Array(size));
}

/** The names that {@linkcode adversarialVector} knows. */
export const adversarialKinds: readonly string[] = Object.keys(makers);

/**
 * A vector of `size` numbers of one of the {@linkcode adversarialKinds}.
 *
 * | kind                                  | numbers                                                              |
 * | ------------------------------------- | -------------------------------------------------------------------- |
 * | gaussian, lognormal                   | random, of both signs; lognormal over many powers of ten             |
 * | heavySparse                           | one in ten is the cube of a Gaussian number, the others are 0        |
 * | allEqual, allNegative                 | 0.7 each; below −0.1                                                 |
 * | oneHot, twoHot                        | −3 in the middle; 3 and 1 at the start; the others are 0             |
 * | alternating, ramp, ties               | 1, −1, 1, …; 1, 2, 3, …; Gaussian numbers rounded to integers        |
 * | offset                                | Gaussian numbers around 5                                            |
 * | huge, tiny, dynamic                   | around 1e30; around 1e-30; from 1e-38 to 1e38                        |
 * | zeros, negativeZeros                  | 0 and −0                                                             |
 * | subnormal, largest                    | below 2⁻¹²⁶; 1e38 and −3.4e38, near the largest float32              |
 *
 * @param seed the same seed, kind and size give the same vector; default 1
 * @throws {RangeError} if the kind is not known, or the size is not an integer from 0 to 2³² − 1
 *
 * @example
 * ```ts
 * import { adversarialVector } from "@gradwire/tfjs/testing";
 * console.assert(adversarialVector("twoHot", 4).join() === "3,1,0,0");
 * ```
 */
export function adversarialVector(kind: string, size: number, seed = 1): Float32Array {
  const make = Object.hasOwn(makers, kind) ? makers[kind] : undefined;
  if (make === undefined) {
    throw new RangeError(`Cannot make a vector of kind ${show(kind)}: expected one of ${adversarialKinds.join(", ")}`);
  }
  if (!(Number.isInteger(size) && size >= 0 && size < 2 ** 32)) {
    throw new RangeError(
      `Cannot make a vector of kind ${kind}: its size is ${show(size)}, expected a count of numbers`,
    );
  }
  return make(size, fold(fold(key(seed), size), adversarialKinds.indexOf(kind)));
}
