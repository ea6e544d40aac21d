/**
 * The levels that make the error of stochastic rounding least for the numbers of a vector. Given levels a ≤ x ≤ b around a
 * number x, its rounding has the variance (b − x)(x − a).
 *
 * @module
 */

import { floatOf, wordOf } from "./float32.ts";
import { intervalOf } from "./given_levels.ts";

/**
 * A histogram by the leading bits of floats: one bin for zero and, on either side of it, 64 bins an octave (the numbers
 * from one power of two to the next) for the octave of the largest magnitude and the 20 below it. Bins of higher index hold
 * larger numbers.
 */
export const BINS = 2 * 1344 + 1;
/** The bin of zero and of all that is smaller than the other bins' numbers. */
const ZERO = 1344;
/** Bits of a float's word below the six leading bits of its mantissa, which make 64 bins an octave. */
const SHIFT = 17;

/** The bits of the least magnitude that is not in the bin of zero. */
function baseOf(largest: number): number {
  return Math.max(0, (wordOf(largest) >>> 23) - 20) << 23;
}

/** counts[b] := how many numbers of the vector, whose largest magnitude is `largest`, are in bin b. */
export function histogram(vector: Float32Array, largest: number, counts: Uint32Array): void {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), base = baseOf(largest);
  counts.fill(0);
  for (let i = 0; i < words.length; i++) {
    const w = words[i]!, magnitude = w & 0x7fffffff, bin = magnitude < base ? 0 : 1 + ((magnitude - base) >>> SHIFT);
    counts[w >>> 31 === 1 ? ZERO - bin : ZERO + bin]!++;
  }
}

/** The end of a bin that is nearer to zero: the least of its numbers, or the largest where they are negative. */
export function edgeOf(bin: number, largest: number): number {
  if (bin === ZERO) return 0;
  const magnitude = floatOf(baseOf(largest) + ((Math.abs(bin - ZERO) - 1) << SHIFT));
  return bin < ZERO ? -magnitude : magnitude;
}

/** Adds how many numbers lie in each interval between two levels, their sum and that of their squares. */
export function momentsBetween(
  vector: Float32Array,
  levels: Float64Array,
  count: Float64Array,
  sum: Float64Array,
  squares: Float64Array,
): void {
  const last = levels.length - 2;
  for (let i = 0; i < vector.length; i++) {
    const x = vector[i]!, at = intervalOf(levels, last, x);
    count[at]! += 1, sum[at]! += x, squares[at]! += x * x;
  }
}

/**
 * The `k` of the ascending candidates, the first and the last among them, that make the sum of all variances least. Given
 * are, for each candidate j, how many numbers lie below it, their sum and that of their squares. Takes O(k n log n) steps
 * for n candidates: the cost satisfies the quadrangle inequality, so that the best last interval moves up with its end.
 */
export function bestLevels(
  candidates: Float64Array,
  k: number,
  count: Float64Array,
  sum: Float64Array,
  squares: Float64Array,
): Float64Array {
  const n = candidates.length;
  /** The variances of the numbers between the candidates i and j, if no level is between them. */
  const cost = (i: number, j: number) => {
    const a = candidates[i]!, b = candidates[j]!;
    return (a + b) * (sum[j]! - sum[i]!) - (squares[j]! - squares[i]!) - a * b * (count[j]! - count[i]!);
  };
  // before[j]: the least cost of the numbers below candidate j with t − 1 intervals, and now[j] with t.
  let before = Float64Array.from({ length: n }, (_, j) => cost(0, j)), now = new Float64Array(n);
  const choices: Uint16Array[] = [];
  for (let t = 2; t < k; t++) {
    const choice = new Uint16Array(n);
    const fill = (low: number, high: number, least: number, most: number): void => {
      if (low > high) return;
      const j = (low + high) >>> 1;
      let best = Infinity, at = least;
      for (let i = least; i <= Math.min(j, most); i++) {
        const value = before[i]! + cost(i, j);
        if (value < best) best = value, at = i;
      }
      now[j] = best, choice[j] = at;
      fill(low, j - 1, least, at);
      fill(j + 1, high, at, most);
    };
    fill(0, n - 1, 0, n - 1);
    choices.push(choice);
    [before, now] = [now, before];
  }
  const chosen = new Float64Array(k);
  let j = n - 1;
  chosen[k - 1] = candidates[j]!;
  for (let t = k - 2; t > 0; t--) {
    j = choices[t - 1]![j]!;
    chosen[t] = candidates[j]!;
  }
  chosen[0] = candidates[0]!;
  return chosen;
}
