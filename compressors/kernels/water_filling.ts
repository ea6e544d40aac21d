/**
 * The optimal probabilities of keeping the numbers of a vector, found as water finds its level.
 *
 * @module
 */

import { floatOf } from "./float32.ts";

import { scratch } from "./scratch.ts";

/** Vectors shorter than this do not pay for a histogram. */
const SHORT = 1024;
const BINS = 2048, counts = new Uint32Array(BINS), sums = new Float64Array(BINS + 1);
const insideOf = scratch(Float32Array);

/**
 * The level t with Σ min(1, |xᵢ| / t) = budget. Keeping number xᵢ with probability pᵢ = min(1, |xᵢ| / t) makes Σ xᵢ² / pᵢ,
 * and so the variance, least among all pᵢ that add up to the budget. 0 if at most `budget` numbers are not 0.
 *
 * A histogram of magnitudes finds the bin that t is in, and the equation is then solved for the numbers in it, so that the
 * vector is neither sorted nor searched. Sums are in doubles, which vectors of float32 cannot overflow.
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
  // sums[bin] := the sum of the magnitudes below the bin, added from the smallest on, which is the most accurate order.
  for (let bin = 0; bin < BINS; bin++) sums[bin + 1]! += sums[bin]!;
  // From the top down to the bin of t: numbers above it are kept for certain, and none of those below it.
  let above = 0, bin = BINS - 1;
  for (; bin > 0; bin--) {
    if (above + counts[bin]! + sums[bin]! / floatOf(bin << 20) >= budget) break;
    above += counts[bin]!;
  }
  const inside = insideOf(counts[bin]!);
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    if (((words[i]! >>> 20) & 2047) === bin) inside[count++] = vector[i]!;
  }
  return solve(inside, count, sums[bin]!, budget - above);
}

/**
 * The level t for the first `count` numbers and others whose magnitudes, all less than t, add up to `below`. Its first
 * estimate counts no number as certain, and it falls as more of them turn out to be so.
 */
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
    // Solved if no more are certain than before. If they take the whole budget, rounding has put the level just below
    // numbers that should equal it.
    if (above <= certain || above >= budget) return level;
    certain = above;
    level = (below + rest) / (budget - certain);
  }
}
