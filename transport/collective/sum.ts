/** How vectors are summed, alike over every transport: a run has the same bits wherever its ranks are. @module */

/**
 * Vectors of at most this many bytes are summed whole by every rank, in one exchange. Of longer ones each rank sums its
 * own segment and hands it to the others, in two: less is sent and added, and that counts for more than the second
 * exchange.
 */
export const wholeBytes: number = 1 << 15;

/** Where the segment of `rank` begins in a vector of `length` numbers; it ends where the next rank's begins. */
export function segmentStart(length: number, rank: number, size: number): number {
  return Math.floor(length * rank / size);
}

/**
 * sum := parts[0] + parts[1] + …, in this order, each addition rounded to float32. `sum` may lie in the memory of a
 * part whose turn has come: of the first two, but of no later one.
 */
export function addInOrder(parts: readonly Float32Array[], sum: Float32Array): void {
  if (parts.length === 1) return sum.set(parts[0]!);
  add(parts[0]!, parts[1]!, sum);
  for (let p = 2; p < parts.length; p++) add(sum, parts[p]!, sum);
}

/** sum := a + b. Four numbers at a time, which is twice as fast. */
function add(a: Float32Array, b: Float32Array, sum: Float32Array): void {
  const { length } = sum;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    sum[i] = a[i]! + b[i]!;
    sum[i + 1] = a[i + 1]! + b[i + 1]!;
    sum[i + 2] = a[i + 2]! + b[i + 2]!;
    sum[i + 3] = a[i + 3]! + b[i + 3]!;
  }
  for (; i < length; i++) sum[i] = a[i]! + b[i]!;
}
