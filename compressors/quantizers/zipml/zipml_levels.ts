/** The levels that ZipML sends. @module */

import { bestLevels, BINS, edgeOf, histogram, momentsBetween } from "../../kernels/best_levels.ts";

/** Up to this many numbers, each is a candidate for a level; for more, a histogram gives about this many candidates. */
const CANDIDATES = 256;

/** The best levels, ascending, from `least` to `most`. Some coincide where the vector has fewer distinct numbers. */
export function zipmlLevels(vector: Float32Array, levels: number, least: number, most: number): Float64Array {
  const candidates = vector.length <= CANDIDATES ? Array.from(vector) : candidatesOf(vector, levels, least, most);
  const points = Float64Array.from(new Set(candidates.map((v) => v + 0))).sort();
  const n = points.length, count = new Float64Array(n), sum = new Float64Array(n), squares = new Float64Array(n);
  momentsBetween(vector, points, count, sum, squares);
  // The sums over each interval become those over all numbers below each candidate.
  for (const moment of [count, sum, squares]) {
    for (let i = 0, total = 0; i < n; i++) {
      const own = moment[i]!;
      moment[i] = total;
      total += own;
    }
  }
  return bestLevels(points, levels, count, sum, squares);
}

const counts = new Uint32Array(BINS);

/** The levels of equal spacing, and edges of the histogram's bins, closer where there are more numbers. */
function candidatesOf(vector: Float32Array, levels: number, least: number, most: number): number[] {
  const candidates = [least, most], largest = Math.max(-least, most);
  for (let i = 1; i < levels - 1; i++) candidates.push(Math.fround(least + (most - least) * i / (levels - 1)));
  histogram(vector, largest, counts);
  // An interval of width w with n numbers costs about n w², so that its share of the levels is best in proportion to
  // (n w²)^(1/3). The candidates are spread by (n w³)^(1/4) instead, which is near enough, because square roots are exact on
  // every engine and cube roots are not.
  const share = (bin: number) => {
    const width = (edgeOf(bin + 1, largest) - edgeOf(bin, largest)) / largest;
    return counts[bin] === 0 ? 0 : Math.sqrt(Math.sqrt(counts[bin]! * width * width * width));
  };
  let total = 0;
  for (let bin = 0; bin < BINS - 1; bin++) total += share(bin);
  for (let bin = 0, passed = 0, next = 0; bin < BINS - 1; bin++) {
    passed += share(bin);
    if (passed * CANDIDATES < next * total || counts[bin] === 0) continue;
    candidates.push(edgeOf(bin, largest));
    next = Math.floor(passed * CANDIDATES / total) + 1;
  }
  return candidates.filter((v) => least <= v && v <= most);
}
