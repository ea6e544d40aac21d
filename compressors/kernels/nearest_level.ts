/** Rounding to the nearest of given levels. @module */

/** Levels in ascending order and where the nearest one changes. */
export interface Levels {
  /** The levels. */
  readonly values: Float64Array;
  /** thresholds[i] lies between levels i and i + 1; Infinity after the last. */
  readonly thresholds: Float64Array;
  /** For each 1/32 of −8 … 8 the index of the level nearest to its lower end. */
  readonly start: Uint8Array;
}

/** The levels ± `positive`, ascending. */
export function symmetricLevels(positive: readonly number[]): Levels {
  const values = Float64Array.from([...positive.map((v) => -v).reverse(), ...positive]);
  const thresholds = values.map((v, i) => i + 1 < values.length ? (v + values[i + 1]!) / 2 : Infinity);
  const start = new Uint8Array(512).map((_, cell) => thresholds.findIndex((t) => cell / 32 - 8 < t));
  return { values, thresholds, start };
}

/**
 * codes[i] := the index of the level nearest to data[from + i], of two equally near ones the upper; returns Σ data · level.
 */
export function nearest(
  data: Float32Array,
  from: number,
  { values, thresholds, start }: Levels,
  codes: Uint32Array,
): number {
  let product = 0;
  for (let i = 0; i < codes.length; i++) {
    const x = data[from + i]!;
    let code = start[Math.max(0, Math.min(511, (x * 32 + 256) | 0))]!;
    while (x >= thresholds[code]!) code++;
    codes[i] = code;
    product += x * values[code]!;
  }
  return product;
}

/** data[from + i] := values[codes[i]]. */
export function putValues(codes: Uint32Array, values: Float64Array, data: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) data[from + i] = values[codes[i]!]!;
}

/** data[i] := factor · vector[from + i] for count numbers, then zeros up to size. */
export function copyScaled(
  vector: Float32Array,
  from: number,
  count: number,
  factor: number,
  data: Float32Array,
  size: number,
): void {
  for (let i = 0; i < count; i++) data[i] = factor * vector[from + i]!;
  data.fill(0, count, size);
}

/** into[from + i] += scale · (factor · data[i], taken to float32's range) for count numbers. */
export function addClamped(
  data: Float32Array,
  count: number,
  factor: number,
  scale: number,
  into: Float32Array,
  from: number,
): void {
  const most = (2 - 2 ** -23) * 2 ** 127;
  for (let i = 0; i < count; i++) into[from + i]! += scale * Math.max(-most, Math.min(most, factor * data[i]!));
}
