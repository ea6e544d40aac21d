/** Rounding to given levels in ascending order, and the values of their codes: the code of a level is its index. @module */

/** Levels, with what finds the nearest one fast. */
export interface Levels {
  /** The levels. */
  readonly values: Float64Array;
  /** thresholds[i] is halfway between the levels i and i + 1; Infinity for the last. */
  readonly thresholds: Float64Array;
  /** The range from −8 to 8 is cut into cells of 1/32; for each the index of the level nearest to its lower end. */
  readonly start: Uint8Array;
}

/** The levels ± `positive`, which ascend and are below 8. */
export function symmetricLevels(positive: readonly number[]): Levels {
  const values = Float64Array.from([...positive.map((v) => -v).reverse(), ...positive]);
  const thresholds = values.map((v, i) => i + 1 < values.length ? (v + values[i + 1]!) / 2 : Infinity);
  const start = new Uint8Array(512).map((_, cell) => thresholds.findIndex((t) => cell / 32 - 8 < t));
  return { values, thresholds, start };
}

/**
 * codes[i] := the index of the level nearest to data[from + i], the upper one where two are equally near. Returns
 * Σ data[from + i] · level.
 */
export function nearestLevels(
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

/** The largest i from 0 to `last` with levels[i] ≤ x, where levels[0] ≤ x. */
export function intervalOf(levels: Float64Array, last: number, x: number): number {
  let low = 0, high = last;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (levels[middle]! <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Stochastic rounding: codes[i] := the index of one of the two levels around vector[from + i], drawn with the random 32-bit
 * word that codes[i] held so that the level's mean is the number.
 */
export function stochasticRoundTo(vector: Float32Array, from: number, levels: Float64Array, codes: Uint32Array): void {
  const last = levels.length - 2;
  for (let i = 0; i < codes.length; i++) {
    const x = vector[from + i]!, at = intervalOf(levels, last, x), low = levels[at]!, high = levels[at + 1]!;
    codes[i] = codes[i]! * 2 ** -32 * (high - low) < x - low ? at + 1 : at;
  }
}

/** data[from + i] := values[codes[i]]. */
export function putValues(codes: Uint32Array, values: Float64Array, data: Float32Array, from: number): void {
  for (let i = 0; i < codes.length; i++) data[from + i] = values[codes[i]!]!;
}

/** into[from + i] += scale · values[codes[i]]. */
export function addValues(
  codes: Uint32Array,
  values: Float64Array,
  scale: number,
  into: Float32Array,
  from: number,
): void {
  for (let i = 0; i < codes.length; i++) into[from + i]! += scale * values[codes[i]!]!;
}
