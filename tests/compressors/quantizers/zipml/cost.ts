/** What levels cost. @module */

/** Σ (b − x)(x − a) with the points around each number. */
export function cost(x: ArrayLike<number>, points: ArrayLike<number>): number {
  return Array.from(x).reduce((sum, v) => {
    let i = 0;
    while (i < points.length - 2 && points[i + 1]! <= v) i++;
    return sum + (points[i + 1]! - v) * (v - points[i]!);
  }, 0);
}
