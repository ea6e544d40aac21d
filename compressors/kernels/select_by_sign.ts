/** The largest numbers of one sign, found without sorting. @module */

const counts = new Uint32Array(2048);

/**
 * Of the n numbers of one sign (1 or −1; zeros have none) the ⌈proportion · n⌉ of largest magnitude are selected; among
 * equal ones those of lower index. Sets signs[i] := sign for each of these and returns their mean, 0 if n is 0.
 *
 * Radix selection in three passes: histograms of 11, 10 and 10 bits find the least magnitude that is selected.
 */
export function selectBySign(vector: Float32Array, sign: 1 | -1, proportion: number, signs: Int32Array): number {
  // With the sign's bit flipped for −1, the words of this sign's numbers are those from 1 to 2³¹ − 1, in their order.
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), flip = sign > 0 ? 0 : 0x80000000;
  let found = 0, wanted = 0, prefix = 0;
  for (const [shift, width] of [[20, 11], [10, 10], [0, 10]] as const) {
    counts.fill(0);
    const mask = 2 ** width - 1, above = shift + width;
    for (let i = 0; i < words.length; i++) {
      const w = (words[i]! ^ flip) >>> 0;
      if (w - 1 < 0x7fffffff && w !== 0 && (above === 31 || w >>> above === prefix)) counts[(w >>> shift) & mask]!++;
    }
    if (above === 31) {
      for (let bin = 0; bin <= mask; bin++) found += counts[bin]!;
      if (found === 0) return 0;
      wanted = Math.ceil(proportion * found);
    }
    let bin = mask;
    for (; counts[bin]! < wanted; bin--) wanted -= counts[bin]!;
    prefix = prefix * 2 ** width + bin;
  }
  // All words above `prefix` are selected, and the first `wanted` of those equal to it.
  let sum = 0, selected = 0;
  for (let i = 0; i < words.length; i++) {
    const w = (words[i]! ^ flip) >>> 0;
    if (w < prefix || w >= 0x80000000 || (w === prefix && wanted-- <= 0)) continue;
    signs[i] = sign;
    sum += vector[i]!, selected++;
  }
  return sum / selected;
}
