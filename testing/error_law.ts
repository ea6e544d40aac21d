/** The error of a compressor as a random variable: what is measured over draws, and how far the measurement may be off. @module */

import { compress } from "../compressors/compress.ts";
import type { Compressor } from "../compressors/compressor.ts";
import { fold, type Key, key, normal } from "../random.ts";
import { squaredNorm } from "../compressors/kernels/sums.ts";

/**
 * Tail of each statistical test, 2 e^−30 for two sides: about 1100 such tests a compressor at the default sizes, so a sound
 * one fails at fewer than 1e-9 of all seeds.
 */
const TAIL = 30;

/** What was measured of an operator on one vector, relative to ‖x‖² (bias: to ‖x‖). Margins are those of a fair test. */
export interface Law {
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

/** Measures the error of a compressor on one vector, over so many draws from a key. */
export function law(compressor: Compressor, vector: Float32Array, draws: number, root: Key): Law {
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
export class Sample {
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
