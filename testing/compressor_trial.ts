/** What a compressor is tried on: the vectors and draws that all checks of its suite share. @module */

import { type Compressor, describe, isContractive, isUnbiased } from "../compressors/compressor.ts";
import { type Key, key } from "../random.ts";
import { type Law, law } from "./error_law.ts";
import { type Property, withoutMathRandom } from "./property.ts";
import { adversarialKinds, adversarialVector } from "./vectors.ts";

/** What a test knows of its compressor beyond what it declares. */
export interface CompressorPropertiesOptions {
  /** Seed of every random choice of the suite. Default 1. */
  readonly seed?: number;
  /**
   * Draws per vector and size up to 64. Default 2000. What a coordinate's mean hangs on must be expected at least 30
   * times in them (rand-k of 1 in 61: 33 times), or the test of the mean may raise a false alarm.
   */
  readonly draws?: number;
  /** Lengths of the vectors. Default 0, 1, 2, 3, 7, 8, 9, 61, 127, 1000. The law is measured at those up to 64. */
  readonly sizes?: readonly number[];
  /**
   * Vectors, by kind of {@linkcode adversarialVector}, on which the compressor promises its ω or α. Default: all that are
   * far from float32's limits. What is left out must still encode and decode to finite values.
   */
  readonly kinds?: readonly string[];
  /** Whether what was decoded lies on the compressor's grid for this vector: catches operators that do not quantise. */
  readonly lattice?: (decoded: Float32Array, vector: Float32Array) => boolean;
  /** E‖C(x) − x‖² where a formula is known: tested from both sides on every vector. */
  readonly error?: (vector: Float32Array) => number;
  /** A vector on which the declared ω or α is reached to 5 %, where the declared one is sharp for that size. */
  readonly worst?: (size: number) => Float32Array | undefined;
  /** Relative accuracy up to which the claims hold, for operators that promise no more. Default 1e-6. */
  readonly slack?: number;
}

/** Far from the largest and the smallest float32, where products with d or 1/p overflow or lose their bits. */
const ordinary = adversarialKinds.filter((kind) => !["subnormal", "largest"].includes(kind));

/** A compressor on trial. */
export interface CompressorTrial {
  readonly compressor: Compressor;
  readonly options: CompressorPropertiesOptions;
  readonly seed: number;
  readonly draws: number;
  readonly sizes: readonly number[];
  readonly kinds: readonly string[];
  readonly slack: number;
  /** The key of which all others are made. */
  readonly root: Key;
  /** The lengths at which the law of the error is measured in full. */
  readonly lawSizes: readonly number[];
  /** The constant that the compressor declares, the smaller where it declares ω and α; Infinity where it declares none. */
  declared(size: number): number;
  /** Vectors of these kinds and lengths, with words for each. */
  cases(kinds: readonly string[], sizes: readonly number[]): Iterable<[label: string, vector: Float32Array]>;
  /** The law of the error on each vector, measured once for all checks that ask. */
  laws(): readonly (readonly [label: string, vector: Float32Array, law: Law])[];
  /** A property of this compressor. */
  property(name: string, check: () => void): Property;
}

/** Prepares the trial; nothing is drawn before a check asks for it. */
export function compressorTrial(compressor: Compressor, options: CompressorPropertiesOptions): CompressorTrial {
  const { seed = 1, draws = 2000, sizes = [0, 1, 2, 3, 7, 8, 9, 61, 127, 1000], slack = 1e-6 } = options;
  const kinds = options.kinds ?? ordinary, title = describe(compressor), root = key(seed);
  const small = sizes.filter((size) => 0 < size && size <= 64);
  const lawSizes = small.length > 0 ? small : sizes.filter((size) => size > 0).slice(0, 1);

  function* cases(among: readonly string[], lengths: readonly number[]): Generator<[string, Float32Array]> {
    for (const size of lengths) {
      for (const kind of among) yield [`${kind} of ${size}`, adversarialVector(kind, size, seed)];
    }
  }

  const laws = once(() => {
    const trial = adversarialVector(kinds[0]!, lawSizes.at(-1) ?? 0, seed);
    if (law(compressor, trial, Math.min(draws, 64), root).constant) return measure(1, 1);
    // Large vectors: the error's mean only, which concentrates.
    return measure(draws, Math.min(draws, 40));
  });
  const measure = (draws: number, drawsOfLarge: number) => {
    const list: [string, Float32Array, Law][] = [];
    const varied = kinds.filter((kind) => !["zeros", "negativeZeros"].includes(kind));
    for (const [label, vector] of cases(varied, lawSizes)) {
      // Up to scale and sign there is one vector of a number.
      if (vector.length === 1 && !label.startsWith(varied[0]!)) continue;
      list.push([label, vector, law(compressor, vector, draws, root)]);
    }
    const large = sizes.filter((size) => !lawSizes.includes(size) && size > 0);
    for (const [label, vector] of cases(varied, large)) {
      list.push([label, vector, law(compressor, vector, drawsOfLarge, root)]);
    }
    return list;
  };

  return {
    compressor,
    options,
    seed,
    draws,
    sizes,
    kinds,
    slack,
    root,
    lawSizes,
    declared: (size) =>
      Math.min(
        isUnbiased(compressor) ? compressor.omega(size) : Infinity,
        isContractive(compressor) ? compressor.alpha(size) : Infinity,
      ),
    cases,
    laws,
    property: (name, check) => ({ name: `${title}: ${name}`, check: () => withoutMathRandom(check) }),
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
