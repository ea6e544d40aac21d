/** The conformance suite of compressors. @module */

import fc from "../dependencies/fast_check.ts";
import { compress, decompress } from "../compressors/compress.ts";
import { type Compressor, describe, isContractive, isLinear, isUnbiased } from "../compressors/compressor.ts";
import { fold, type Key, key, normal } from "../random.ts";
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

/**
 * Tail of each statistical test, 2 e^−30 for two sides: about 1100 such tests a compressor at the default sizes, so a sound
 * one fails at fewer than 1e-9 of all seeds.
 */
const TAIL = 30;

/**
 * What a compressor must satisfy, as named checks. It is judged on adversarial vectors (one-hot, all equal, −0, 1e38,
 * subnormal, ties, huge dynamic range, …), on arrays that fast-check makes up and shrinks, and on damaged messages:
 *
 * - equal input and key give equal bytes, at most `maxByteLength`, whatever was encoded before and whatever the buffer
 *   held; the input is not modified;
 * - decoding is linear in scale, adds to what is there, writes nowhere else, and is finite; it needs nothing that the
 *   sender remembers; nothing calls Math.random or replaces it;
 * - truncated, extended, flipped and made-up messages throw RangeError or decode to finite values, in bounded time, and
 *   nothing outside of the vector is written; a byte too many or too few at the end is not passed over;
 * - a declared error above 0 is there: the message does not just carry the input; decoded values lie on the `lattice`;
 * - where a formula of its error is given: the measured error is that, from both sides;
 * - where it declares ω: the mean over draws is the input, the variance at most ω, and the errors of two ranks in a step
 *   are uncorrelated. Where it declares α: the mean error is at most α; that of each of at least 10 000 draws where `everyDraw`.
 *
 * The statistical tests compare with Bernstein's bound at 2 e⁻³⁰ a test, from the sample's variance and range: a sound
 * compressor fails with probability below 1e-9 per run. A relative bias of 2 % along the input is found at 2000 draws for
 * ω ≤ 1 and 61 numbers. Takes about a second for a compressor of a few microseconds a call.
 *
 * @example
 * ```ts
 * import { compressorProperties } from "@gradwire/tfjs/testing";
 * import { identity } from "@gradwire/tfjs/compressors";
 * for (const { name, check } of compressorProperties(identity(), { draws: 100 })) await check(); // Deno.test(name, check)
 * ```
 */
export function compressorProperties(compressor: Compressor, options: CompressorPropertiesOptions = {}): Property[] {
  const { seed = 1, draws = 2000, sizes = [0, 1, 2, 3, 7, 8, 9, 61, 127, 1000], slack = 1e-6 } = options;
  const kinds = options.kinds ?? ordinary;
  const title = describe(compressor);
  const root = key(seed);
  const small = sizes.filter((size) => 0 < size && size <= 64);
  const lawSizes = small.length > 0 ? small : sizes.filter((size) => size > 0).slice(0, 1);
  const runs = { seed, numRuns: Math.max(10, Math.min(100, draws >> 4)) };

  const declared = (size: number) =>
    Math.min(
      isUnbiased(compressor) ? compressor.omega(size) : Infinity,
      isContractive(compressor) ? compressor.alpha(size) : Infinity,
    );

  // Every kind at every size, and what fast-check makes up: any finite float32, shrunk to the simplest that fails.
  const anySize = fc.constantFrom(...sizes);
  const anyVector = fc.oneof(
    fc.tuple(fc.constantFrom(...adversarialKinds), anySize, fc.nat(1e6)).map(([kind, size, seed]) =>
      adversarialVector(kind, size, seed)
    ),
    anySize.chain((size) =>
      fc.float32Array({ minLength: size, maxLength: size, noNaN: true, noDefaultInfinity: true })
    ),
  );
  const anyKey = fc.tuple(fc.integer(), fc.integer());

  function* cases(among: readonly string[], lengths: readonly number[]): Generator<[string, Float32Array]> {
    for (const size of lengths) {
      for (const kind of among) yield [`${kind} of ${size}`, adversarialVector(kind, size, seed)];
    }
  }

  /** The law of the error on each vector, measured once for all tests that ask. */
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

  function property(name: string, check: () => void): Property {
    return { name: `${title}: ${name}`, check: () => withoutMathRandom(check) };
  }

  function errorAtMost(bound: (size: number) => number, name: string): void {
    for (const [label, vector, { error, errorMargin, draws }] of laws()) {
      const limit = bound(vector.length) * (1 + slack) + slack * slack;
      assert(
        error - errorMargin <= limit,
        () =>
          `E‖C(x) − x‖² / ‖x‖² is ${error} ± ${errorMargin} on ${label} in ${draws} draws, above ${name} = ${limit}`,
      );
    }
  }

  const properties = [
    property("equal vector and key give equal bytes, no more than declared, and the vector is left alone", () => {
      const check = (vector: Float32Array, key: Key) => {
        const size = vector.length, most = compressor.maxByteLength(size), before = bytesOf(vector).slice();
        assert(Number.isSafeInteger(most) && most >= 0, () => `maxByteLength(${size}) is ${most}`);
        const first = new Uint8Array(most), written = compressor.encode(vector, key, first);
        assert(written <= most, () => `${written} bytes were written for ${size} numbers, declared ${most}`);
        // Elsewhere in memory, after another vector, over garbage.
        const moved = new Float32Array(size + 3).subarray(3), room = new Uint8Array(most + 9).fill(0xa5);
        moved.set(vector);
        compress(compressor, new Float32Array(sizes.at(-1)!).fill(1), fold(key, 9));
        const second = compress(compressor, moved, key, room.subarray(1, 1 + most));
        const bytes = first.subarray(0, written);
        assert(equal(bytes, second), () => `equal inputs gave ${bytes} and ${second}`);
        assert(equal(before, bytesOf(vector)), () => `the vector was modified`);
        assert(room[0] === 0xa5 && room.subarray(1 + most).every((b) => b === 0xa5), () => `wrote outside the message`);
      };
      for (const [, vector] of cases(adversarialKinds, sizes)) check(vector, root);
      fc.assert(fc.property(anyVector, anyKey, check), runs);
    }),

    property("decoding is finite, linear in scale and added to what is there", () => {
      const check = (vector: Float32Array, key: Key, scale: number) => {
        const size = vector.length, message = compress(compressor, vector, key), copy = message.slice();
        const once = decompress(compressor, message, key, size);
        assert(once.every(Number.isFinite), () => `decoded ${excerpt(once)} from ${excerpt(vector)}`);
        assert(equal(message, copy), () => `decoding modified the message`);
        const most = largest(once);
        if (most * Math.abs(scale) > 1e37) return; // the sum would overflow
        const room = normal(fold(key, 1), new Float32Array(size + 8)), before = room.slice();
        if (most > 0) { for (let i = 0; i < room.length; i++) before[i] = room[i]! *= Math.min(most, 1e37); }
        const away = new Uint8Array(message.length + 3).subarray(3);
        away.set(message);
        compressor.decodeAdd(away, key, scale, room.subarray(4, 4 + size));
        const tolerance = 2e-6 * (Math.abs(scale) * most + largest(before)) + 1e-44;
        for (let i = 0; i < room.length; i++) {
          const inside = 4 <= i && i < 4 + size, expected = before[i]! + (inside ? scale * once[i - 4]! : 0);
          assert(
            inside ? Math.abs(room[i]! - expected) <= tolerance : room[i] === before[i],
            () => `decodeAdd at scale ${scale} left ${room[i]} at ${i - 4}, expected ${expected}: ${excerpt(vector)}`,
          );
        }
        const zero = new Float32Array(size).fill(1);
        compressor.decodeAdd(message, key, 0, zero);
        assert(zero.every((v) => v === 1), () => `decodeAdd at scale 0 changed the vector`);
      };
      for (const [, vector] of cases(adversarialKinds, sizes)) check(vector, root, -1);
      fc.assert(fc.property(anyVector, anyKey, fc.constantFrom(1, -1, 0.25, -1 / 3, 7), check), runs);
    }),

    property("a message decodes from its bytes, key and length alone, whatever was encoded since", () => {
      for (const [label, vector] of cases(["gaussian", "oneHot"], sizes)) {
        const message = compress(compressor, vector, root).slice();
        const before = decompress(compressor, message, root, vector.length);
        // Of this key and length, and of others: what the sender may remember is another vector's now.
        compress(compressor, adversarialVector("lognormal", vector.length, seed + 1), root);
        compress(compressor, adversarialVector("ramp", sizes.at(-1)!, seed), fold(root, 1));
        const after = decompress(compressor, message, root, vector.length);
        assert(
          equal(bytesOf(before), bytesOf(after)),
          () => `${label} was decoded to ${excerpt(before)}, and later to ${excerpt(after)}`,
        );
      }
    }),

    property("zeros are decoded to zeros", () => {
      for (const [label, vector] of cases(["zeros", "negativeZeros"], sizes)) {
        const decoded = decompress(compressor, compress(compressor, vector, root), root, vector.length);
        assert(decoded.every((v) => v === 0), () => `${label} came back as ${excerpt(decoded)}`);
      }
    }),

    property("a message that is not one of its own throws RangeError or decodes to finite values, soon", () => {
      const check = (message: Uint8Array, key: Key, size: number) => {
        const room = new Float32Array(size + 8), into = room.subarray(4, 4 + size), start = performance.now();
        try {
          compressor.decodeAdd(message, key, 1, into);
          assert(into.every(Number.isFinite), () => `${message} decoded to ${excerpt(into)} for ${size} numbers`);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
        const outside = room.subarray(0, 4).some(Boolean) || room.subarray(4 + size).some(Boolean);
        assert(!outside, () => `${message} made it write outside of the vector of ${size} numbers`);
        const took = performance.now() - start;
        assert(took < 2000, () => `${message} of ${message.length} bytes took ${took} ms for ${size} numbers`);
      };
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
      fc.assert(
        fc.property(
          anyVector,
          anyKey,
          damage,
          fc.nat(),
          fc.uint8Array({ maxLength: 20 }),
          (vector, key, flips, cut, tail) => {
            const message = compress(compressor, vector, key).slice(), size = vector.length;
            check(message.subarray(0, cut % (message.length + 1)), key, size);
            check(Uint8Array.of(...message, ...tail), key, size);
            check(message, key, size + 1);
            if (size > 0) check(message, key, size - 1);
            const flipped = message.slice();
            for (const [at, bits] of flips) if (message.length > 0) flipped[at % message.length]! ^= bits;
            check(flipped, key, size);
          },
        ),
        { ...runs, numRuns: 2 * runs.numRuns },
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), anyKey, anySize, (message, head, key, size) => {
          check(message, key, size);
          check(message.fill(255), key, size);
          // Declared as ours for its length, then noise.
          const own = compress(compressor, adversarialVector("gaussian", size), key).slice();
          own.set(message.subarray(0, Math.max(0, own.length - head % 9)), Math.min(own.length, head % 9));
          check(own, key, size);
        }),
        runs,
      );
    }),

    property("a byte too many or too few at the end is refused, or changes what is decoded", () => {
      for (const size of sizes.filter((size) => size >= 61)) {
        const message = compress(compressor, adversarialVector("gaussian", size, seed), root).slice();
        const decoded = decompress(compressor, message, root, size);
        const passedOver = (other: Uint8Array) => {
          try {
            return equal(bytesOf(decompress(compressor, other, root, size)), bytesOf(decoded));
          } catch (error) {
            if (error instanceof RangeError) return false;
            throw error;
          }
        };
        for (const last of [0, 1, 0x80, 0xff]) {
          const longer = Uint8Array.of(...message, last);
          assert(!passedOver(longer), () => `byte ${last} after a message of ${message.length} is passed over`);
        }
        const some = message.length > 0 && decoded.some((value) => value !== 0);
        assert(
          !(some && passedOver(message.subarray(0, -1))),
          () => `the last byte of ${message.length} is not needed`,
        );
      }
    }),

    property("loses what it declares to lose: the message does not just carry the vector", () => {
      for (const size of sizes.filter((size) => size >= 61 && declared(size) > 0)) {
        let lost = 0;
        for (let i = 0; i < 8; i++) {
          const vector = adversarialVector("gaussian", size, seed + i);
          const decoded = decompress(compressor, compress(compressor, vector, fold(root, i)), fold(root, i), size);
          lost += squaredDistance(decoded, vector) / squaredNorm(vector);
        }
        assert(lost > 1e-13, () => `no error in 8 vectors of ${size}, declared ${declared(size)}`);
      }
    }),
  ];

  const { lattice, error: exact, worst } = options;
  if (lattice !== undefined) {
    properties.push(property("decodes onto its grid", () => {
      for (const [label, vector] of cases(kinds, sizes)) {
        for (let i = 0; i < 4; i++) {
          const k = fold(root, i), decoded = decompress(compressor, compress(compressor, vector, k), k, vector.length);
          assert(
            lattice(decoded, vector),
            () => `${excerpt(decoded)} is off the grid, from ${label}: ${excerpt(vector)}`,
          );
        }
      }
    }));
  }
  if (exact !== undefined) {
    properties.push(property("the mean squared error is the exact one of its formula", () => {
      for (const [label, vector, { error, errorMargin, draws }] of laws()) {
        const norm = squaredNorm(vector);
        // Too few draws to see what is rare, unless all are the same.
        if (norm === 0 || !(draws === 1 || lawSizes.includes(vector.length))) continue;
        const expected = exact(vector) / norm;
        assert(
          // What happens less often than once in the draws may be missing from the mean.
          Math.abs(error - expected) <= errorMargin + slack * (10 + expected),
          () =>
            `E‖C(x) − x‖² / ‖x‖² is ${error} ± ${errorMargin} on ${label} in ${draws} draws, by formula ${expected}`,
        );
      }
    }));
  }
  if (worst !== undefined) {
    properties.push(property("the declared constant is reached to 5 % by the worst vector, and not exceeded", () => {
      for (const size of lawSizes) {
        const vector = worst(size);
        if (vector === undefined) continue;
        const { error, errorMargin } = law(compressor, vector, laws()[0]![2].draws, root);
        const limit = declared(size) * (1 + slack) + slack * slack;
        assert(
          error - errorMargin <= limit,
          () => `the error is ${error} ± ${errorMargin} on the worst vector of ${size}, above the declared ${limit}`,
        );
        assert(
          error + errorMargin >= 0.95 * declared(size),
          () => `the error is ${error} ± ${errorMargin} on the worst vector of ${size}, declared ${declared(size)}`,
        );
      }
    }));
  }
  if (isUnbiased(compressor)) {
    properties.push(
      property("ω is a number, at least 0", () => {
        for (const size of sizes) {
          const omega = compressor.omega(size);
          assert(Number.isFinite(omega) && omega >= 0, () => `omega(${size}) is ${omega}`);
        }
      }),
      property("is unbiased: the mean over draws is the vector", () => {
        for (const [label, vector, { draws, bias }] of laws()) {
          if (!lawSizes.includes(vector.length)) continue; // too few draws for a claim about the mean
          for (const { direction, deviation, margin } of bias) {
            assert(
              // What happens less often than once in the draws may be missing: a few millionths.
              Math.abs(deviation) <= margin + 1e-4 + slack,
              () =>
                `the mean of ${draws} draws is off by ${deviation} ‖x‖ along ${direction} on ${label}, expected 0 ± ${margin}`,
            );
          }
        }
      }),
      property("its variance is at most ω", () => errorAtMost((size) => compressor.omega(size), "ω")),
    );
    if (!isLinear(compressor)) {
      properties.push(property("the errors of two ranks in a step are uncorrelated", () => {
        for (const [label, vector, { correlation, correlationMargin }] of laws()) {
          if (!lawSizes.includes(vector.length)) continue;
          assert(
            Math.abs(correlation) <= correlationMargin + slack,
            () => `E⟨error of rank 0, error of rank 1⟩ / ‖x‖² is ${correlation} ± ${correlationMargin} on ${label}`,
          );
        }
      }));
    }
  }
  if (isContractive(compressor)) {
    properties.push(
      property("0 ≤ α < 1", () => {
        for (const size of sizes) {
          const alpha = compressor.alpha(size);
          assert(0 <= alpha && (alpha < 1 || size === 0), () => `alpha(${size}) is ${alpha}`);
        }
      }),
      property("its mean squared error is at most α", () => errorAtMost((size) => compressor.alpha(size), "α")),
    );
    if (compressor.everyDraw) {
      properties.push(property("every draw's squared error is at most α", () => {
        for (const [label, vector, { worst }] of laws()) {
          const limit = compressor.alpha(vector.length) * (1 + slack) + slack * slack;
          assert(worst <= limit, () => `‖C(x) − x‖² / ‖x‖² was ${worst} on ${label}, above α = ${limit}`);
        }
        for (let i = 0; i < Math.max(10_000, 10 * draws); i++) {
          const vector = adversarialVector(kinds[i % kinds.length]!, lawSizes[i % lawSizes.length]!, seed + i);
          const k = fold(root, i), decoded = decompress(compressor, compress(compressor, vector, k), k, vector.length);
          const error = squaredDistance(decoded, vector), norm = squaredNorm(vector);
          const limit = (compressor.alpha(vector.length) * (1 + slack) + slack * slack) * norm;
          assert(error <= limit, () => `‖C(x) − x‖² was ${error}, above α ‖x‖² = ${limit}: ${excerpt(vector)}`);
        }
      }));
    }
  }
  return properties;
}

/** What was measured of an operator on one vector, relative to ‖x‖² (bias: to ‖x‖). Margins are those of a fair test. */
interface Law {
  draws: number;
  /** Whether all draws were the same. */
  constant: boolean;
  error: number;
  errorMargin: number;
  worst: number;
  correlation: number;
  correlationMargin: number;
  bias: { direction: string; deviation: number; margin: number }[];
}

function law(compressor: Compressor, vector: Float32Array, draws: number, root: Key): Law {
  const size = vector.length, norm2 = squaredNorm(vector) || 1, norm = Math.sqrt(norm2);
  const directions = probes(vector),
    decoded = new Float32Array(size),
    buffer = new Uint8Array(compressor.maxByteLength(size));
  const deviations = directions.map(() => new Sample()), errors = new Sample(), products = new Sample();
  let deviation = new Float64Array(size), before = new Float64Array(size), constant = true;
  for (let n = 0; n < draws; n++) {
    // Two draws a step: the keys of ranks 0 and 1, as `context` folds them.
    const k = fold(fold(root, n >> 1), 1 + (n & 1));
    decoded.fill(0);
    compressor.decodeAdd(compress(compressor, vector, k, buffer), k, 1, decoded);
    let error = 0, product = 0;
    for (let i = 0; i < size; i++) {
      const e = (decoded[i]! - vector[i]!) / norm;
      if (n > 0 && e !== before[i]) constant = false;
      deviation[i] = e, error += e * e, product += e * before[i]!;
    }
    errors.add(error);
    if ((n & 1) === 1) products.add(product);
    directions.forEach(({ weights }, j) => {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += weights[i]! * deviation[i]!;
      deviations[j]!.add(sum);
    });
    [deviation, before] = [before, deviation];
  }
  // A direction that rare events carry has seen too little to know its variance: not below the mean over coordinates.
  const floor = errors.mean / size;
  return {
    draws,
    constant,
    error: errors.mean,
    // Draws that are rare, and were not seen, may err by as little as 0.
    errorMargin: errors.margin(0, errors.mean),
    worst: errors.largest,
    correlation: draws < 2 ? errors.mean : products.mean, // of one draw for all keys: that with itself
    correlationMargin: products.margin(),
    bias: directions.map(({ name }, j) => ({
      direction: name,
      deviation: deviations[j]!.mean,
      margin: deviations[j]!.margin(floor),
    })),
  };
}

/** Unit directions along which the mean is tested. */
function probes(vector: Float32Array): { name: string; weights: Float64Array }[] {
  const size = vector.length;
  const list: [string, (i: number) => number][] = [["x", (i) => vector[i]!], ["(1, …, 1)", () => 1]];
  let top = 0;
  for (let i = 1; i < size; i++) if (Math.abs(vector[i]!) > Math.abs(vector[top]!)) top = i;
  for (const at of new Set(size <= 9 ? vector.keys() : [0, top, size - 1])) {
    list.push([`coordinate ${at}`, (i) => i === at ? 1 : 0]);
  }
  for (let j = 0; j < 3; j++) {
    const random = normal(fold(key(size), j), new Float32Array(size));
    list.push([`random direction ${j}`, (i) => random[i]!]);
  }
  return list.map(([name, weight]) => {
    const weights = Float64Array.from({ length: size }, (_, i) => weight(i));
    const norm = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0)) || 1;
    return { name, weights: weights.map((w) => w / norm) };
  });
}

/** Mean, variance and range of a sample. */
class Sample {
  count = 0;
  mean = 0;
  smallest = Infinity;
  largest = -Infinity;
  #squares = 0;

  add(value: number): void {
    this.count++;
    const off = value - this.mean;
    this.mean += off / this.count;
    this.#squares += off * (value - this.mean);
    if (value < this.smallest) this.smallest = value;
    if (value > this.largest) this.largest = value;
  }

  /** Bernstein: |mean − expectation| exceeds √(2 σ² L / n) + 2 M L / 3n with probability below 2 e^−L. */
  margin(floor = 0, least = 0): number {
    if (this.count < 2) return 0; // all draws are the same
    const variance = Math.max(this.#squares / (this.count - 1), floor);
    const range = Math.max(least, this.largest - this.mean, this.mean - this.smallest);
    return Math.sqrt(2 * TAIL * variance / this.count) + 2 * TAIL * range / (3 * this.count);
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function assert(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function largest(vector: Float32Array): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function squaredNorm(vector: Float32Array): number {
  return vector.reduce((sum, value) => sum + value * value, 0);
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

function excerpt(vector: Float32Array): string {
  return `[${vector.subarray(0, 8).join(", ")}${vector.length > 8 ? `, … ${vector.length} numbers` : ""}]`;
}
