/** The largest magnitudes of a vector, found without sorting. @module */

import { scratch } from "./scratch.ts";

/**
 * How many bits of a magnitude each pass looks at. Together they are the 31 bits of a float32 without its sign, which as
 * integers have the order of the floats. Short vectors do not pay for large histograms.
 */
const LARGE = [11, 10, 10], SMALL = [8, 8, 8, 7];
const histogram = new Uint32Array(2 ** 12), candidatesOf = scratch(Uint32Array);

/**
 * Writes the indices of the `count` largest |vector[i]| to `indices`, ascending; among equal magnitudes the lowest indices
 * are taken. Radix selection: each pass finds some more bits of the count-th largest magnitude by a histogram. The vector
 * is read three times, whatever it holds. 0 ≤ count ≤ vector.length, and `indices` holds count.
 */
export function selectLargest(vector: Float32Array, count: number, indices: Uint32Array): void {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), size = words.length;
  if (count === size) {
    for (let i = 0; i < size; i++) indices[i] = i;
    return;
  }
  if (count === 0) return;
  const widths = size < 4096 ? SMALL : LARGE, bins = 1 << widths[0]!;
  let shift = 31 - widths[0]!, i = 0;
  histogram.fill(0, 0, 2 * bins);
  // Two histograms in turn, so that runs of numbers in one bin do not wait for each other.
  for (const even = size & ~1; i < even; i += 2) {
    histogram[(words[i]! & 0x7fffffff) >>> shift]!++;
    histogram[bins + ((words[i + 1]! & 0x7fffffff) >>> shift)]!++;
  }
  if (i < size) histogram[(words[i]! & 0x7fffffff) >>> shift]!++;
  for (let b = 0; b < bins; b++) histogram[b]! += histogram[bins + b]!;
  let wanted = count, bin = bins - 1;
  while (histogram[bin]! < wanted) wanted -= histogram[bin--]!;
  const candidates = candidatesOf(histogram[bin]!);
  let threshold = bin << shift, found = 0;
  for (i = 0; i < size; i++) {
    const word = words[i]! & 0x7fffffff;
    if (word >>> shift === bin) candidates[found++] = word;
  }
  for (let level = 1; level < widths.length; level++) {
    const last = (1 << widths[level]!) - 1;
    shift -= widths[level]!;
    histogram.fill(0, 0, last + 1);
    for (i = 0; i < found; i++) histogram[(candidates[i]! >>> shift) & last]!++;
    for (bin = last; histogram[bin]! < wanted;) wanted -= histogram[bin--]!;
    let kept = 0;
    for (i = 0; i < found; i++) {
      if (((candidates[i]! >>> shift) & last) === bin) candidates[kept++] = candidates[i]!;
    }
    found = kept;
    threshold |= bin << shift;
  }
  // All magnitudes above the threshold are taken, and the first `wanted` of those equal to it.
  for (let i = 0, n = 0; n < count; i++) {
    const word = words[i]! & 0x7fffffff;
    if (word > threshold || (word === threshold && wanted-- > 0)) indices[n++] = i;
  }
}
