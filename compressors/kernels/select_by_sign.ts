/** The largest numbers of one sign. @module */

const counts = new Uint32Array(2048);

/**
 * signs[i] := sign for the largest in magnitude ⌈proportion · n⌉ of the n numbers of that sign (1 or −1); of equal ones
 * those of lower index. Returns the mean of those, 0 if there are none. Three passes of 11, 10 and 10 bits; nothing is sorted.
 */
export function selectBySign(vector: Float32Array, sign: 1 | -1, proportion: number, signs: Int32Array): number {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length), flip = sign > 0 ? 0 : 0x80000000;
  // Words of the other sign become 2³¹ or more, and zeros of both signs are left out.
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
  // All above the threshold are sent, and the first `wanted` of those equal to it.
  let sum = 0, sent = 0;
  for (let i = 0; i < words.length; i++) {
    const w = (words[i]! ^ flip) >>> 0;
    if (w < prefix || w >= 0x80000000 || (w === prefix && wanted-- <= 0)) continue;
    signs[i] = sign;
    sum += vector[i]!, sent++;
  }
  return sum / sent;
}
