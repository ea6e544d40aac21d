/** Optimal probabilities of keeping numbers. @module */

import { scratch } from "./scratch.ts";

/** Below it no histogram pays. */
const SHORT = 1024;
const BINS = 2048, counts = new Uint32Array(BINS), sums = new Float64Array(BINS + 1);
const insideOf = scratch(Float32Array), word = new Uint32Array(1), edge = new Float32Array(word.buffer);

/**
 * The level t with Σ min(1, |xᵢ| / t) = budget, which makes Σ xᵢ² / pᵢ least for pᵢ = min(1, |xᵢ| / t); 0 if no more than
 * `budget` numbers are not 0. One histogram of magnitudes finds the numbers near t, and the sum is then solved for these:
 * no sort, no search over the vector. Infinity is never returned: sums are in doubles.
 */
export function waterLevel(vector: Float32Array, budget: number): number {
  let nonzero = 0;
  for (let i = 0; i < vector.length; i++) nonzero += vector[i] !== 0 ? 1 : 0;
  if (nonzero <= budget) return 0;
  if (vector.length < SHORT) return solve(vector, vector.length, 0, budget);
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length);
  counts.fill(0), sums.fill(0);
  for (let i = 0; i < words.length; i++) {
    const bin = (words[i]! >>> 20) & 2047;
    counts[bin]!++, sums[bin + 1]! += Math.abs(vector[i]!);
  }
  // sums[bin] := what lies below the bin, added up from the smallest: nothing is lost to large numbers.
  for (let bin = 0; bin < BINS; bin++) sums[bin + 1]! += sums[bin]!;
  // Downwards to the bin of t: above it all are certain, below it none.
  let above = 0, bin = BINS - 1;
  for (; bin > 0; bin--) {
    word[0] = bin << 20;
    if (above + counts[bin]! + sums[bin]! / edge[0]! >= budget) break;
    above += counts[bin]!;
  }
  const inside = insideOf(counts[bin]!);
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    if (((words[i]! >>> 20) & 2047) === bin) inside[count++] = vector[i]!;
  }
  return solve(inside, count, sums[bin]!, budget - above);
}

/** t, where numbers[0 .. count) are to decide and others add up to `below`: it falls as more of them turn out certain. */
function solve(numbers: Float32Array, count: number, below: number, budget: number): number {
  let rest = 0;
  for (let j = 0; j < count; j++) rest += Math.abs(numbers[j]!);
  let level = (below + rest) / budget;
  for (let certain = 0;;) {
    let above = 0;
    rest = 0;
    for (let j = 0; j < count; j++) {
      const magnitude = Math.abs(numbers[j]!);
      if (magnitude > level) above++;
      else rest += magnitude;
    }
    // No more than before: solved. All of the budget: rounding has put the level just below what should equal it.
    if (above <= certain || above >= budget) return level;
    certain = above;
    level = (below + rest) / (budget - certain);
  }
}
