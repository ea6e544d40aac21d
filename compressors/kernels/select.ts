/** The largest magnitudes of a vector, without sorting. @module */

import { scratch } from "../scratch.ts";

/** Histograms of 11, 10 and 10 bits: together the 31 bits of a magnitude. Integers order as the floats they are. */
const SHIFTS = [20, 10, 0], BINS = 2048;
const histogram = new Uint32Array(2 * BINS), candidatesOf = scratch(Uint32Array);

/**
 * Writes the indices of the `count` largest |vector[i]|, ascending, to `indices`; of equal ones the lowest indices.
 * Three reads of the vector at most, whatever is in it. 0 ≤ count ≤ vector.length; `indices` holds count.
 */
export function selectLargest(vector: Float32Array, count: number, indices: Uint32Array): void {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), size = words.length;
  if (count === size) {
    for (let i = 0; i < size; i++) indices[i] = i;
    return;
  }
  if (count === 0) return;
  // Radix selection of the count-th largest: each histogram fixes the next bits of it.
  histogram.fill(0);
  let i = 0;
  for (const even = size & ~1; i < even; i += 2) {
    histogram[(words[i]! >>> 20) & 2047]!++; // two histograms: runs of one bin do not wait for each other
    histogram[BINS + ((words[i + 1]! >>> 20) & 2047)]!++;
  }
  if (i < size) histogram[(words[i]! >>> 20) & 2047]!++;
  for (let b = 0; b < BINS; b++) histogram[b]! += histogram[BINS + b]!;
  let { bin, wanted } = descend(count), threshold = bin << 20;
  const candidates = candidatesOf(histogram[bin]!);
  let found = 0;
  for (i = 0; i < size; i++) {
    const word = words[i]! & 0x7fffffff;
    if (word >>> 20 === bin) candidates[found++] = word;
  }
  for (const shift of SHIFTS.slice(1)) {
    histogram.fill(0, 0, BINS);
    for (i = 0; i < found; i++) histogram[(candidates[i]! >>> shift) & 1023]!++;
    ({ bin, wanted } = descend(wanted));
    let kept = 0;
    for (i = 0; i < found; i++) {
      if (((candidates[i]! >>> shift) & 1023) === bin) candidates[kept++] = candidates[i]!;
    }
    found = kept;
    threshold |= bin << shift;
  }
  // All above the threshold, and the first `wanted` that equal it.
  for (let i = 0, n = 0; n < count; i++) {
    const word = words[i]! & 0x7fffffff;
    if (word > threshold || (word === threshold && wanted-- > 0)) indices[n++] = i;
  }
}

/** The bin in which the wanted-th largest lies, and which of it it is. */
function descend(wanted: number): { bin: number; wanted: number } {
  let bin = BINS - 1;
  while (histogram[bin]! < wanted) wanted -= histogram[bin--]!;
  return { bin, wanted };
}
