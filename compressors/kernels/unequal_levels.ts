/** Unbiased rounding to points that are not equally spaced, and where the best ones are. @module */

/** The largest i in 0..last with points[i] ≤ x, where points ascend and points[0] ≤ x. */
export function intervalOf(points: Float64Array, last: number, x: number): number {
  let low = 0, high = last;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (points[middle]! <= x) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** codes[i] := the index of one of the two of `points` around vector[from + i], without bias; codes[i] held the random word. */
export function ditherToPoints(vector: Float32Array, from: number, points: Float64Array, codes: Uint32Array): void {
  const last = points.length - 2;
  for (let i = 0; i < codes.length; i++) {
    const x = vector[from + i]!, at = intervalOf(points, last, x), low = points[at]!, high = points[at + 1]!;
    codes[i] = codes[i]! * 2 ** -32 * (high - low) < x - low ? at + 1 : at;
  }
}

/** Bins of a histogram by the leading bits of floats: 64 an octave, 21 octaves below the largest, both signs, and zero. */
export const BINS = 2 * 1344 + 1;
const ZERO = 1344, SHIFT = 17;

/** The word of the least magnitude that is not in the bin of zero, where `largest` is the largest magnitude. */
function baseOf(largest: number): number {
  float[0] = largest;
  return Math.max(0, (word[0]! >>> 23) - 20) << 23;
}

const float = new Float32Array(1), word = new Uint32Array(float.buffer);

/** counts[b] := how many numbers are in bin b; see {@link edgeOf}. */
export function histogram(vector: Float32Array, largest: number, counts: Uint32Array): void {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), base = baseOf(largest);
  counts.fill(0);
  for (let i = 0; i < words.length; i++) {
    const w = words[i]!, magnitude = w & 0x7fffffff, bin = magnitude < base ? 0 : 1 + ((magnitude - base) >>> SHIFT);
    counts[w >>> 31 === 1 ? ZERO - bin : ZERO + bin]!++;
  }
}

/** The least number of bin b, or the largest for bins of negative numbers; bins of higher index hold larger numbers. */
export function edgeOf(bin: number, largest: number): number {
  if (bin === ZERO) return 0;
  word[0] = baseOf(largest) + ((Math.abs(bin - ZERO) - 1) << SHIFT);
  return bin < ZERO ? -float[0]! : float[0]!;
}

/** Adds to count, sum and squares of each interval between `points` those of the numbers in it. */
export function momentsBetween(
  vector: Float32Array,
  points: Float64Array,
  count: Float64Array,
  sum: Float64Array,
  squares: Float64Array,
): void {
  const last = points.length - 2;
  for (let i = 0; i < vector.length; i++) {
    const x = vector[i]!, at = intervalOf(points, last, x);
    count[at]! += 1, sum[at]! += x, squares[at]! += x * x;
  }
}

/**
 * Which `k` of the ascending points, the first and the last among them, minimise Σ (b − x)(x − a) over all numbers x,
 * where a ≤ x ≤ b are those around x. Given are the prefix sums over the intervals: count[j] of the numbers below point j,
 * their sum and their squares. O(k n log n): the cost satisfies the quadrangle inequality, so that the best last interval
 * moves up with its end.
 */
export function bestPoints(
  points: Float64Array,
  k: number,
  count: Float64Array,
  sum: Float64Array,
  squares: Float64Array,
): Float64Array {
  const n = points.length;
  const cost = (i: number, j: number) => {
    const a = points[i]!, b = points[j]!;
    return (a + b) * (sum[j]! - sum[i]!) - (squares[j]! - squares[i]!) - a * b * (count[j]! - count[i]!);
  };
  let before = Float64Array.from({ length: n }, (_, j) => cost(0, j)), now = new Float64Array(n);
  const from: Uint16Array[] = [];
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
    from.push(choice);
    [before, now] = [now, before];
  }
  const chosen = new Float64Array(k);
  let j = n - 1;
  chosen[k - 1] = points[j]!;
  for (let t = k - 2; t > 0; t--) {
    j = from[t - 1]![j]!;
    chosen[t] = points[j]!;
  }
  chosen[0] = points[0]!;
  return chosen;
}
