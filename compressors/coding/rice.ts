/** Rice codes: how many of a number's low bits are sent as they are. The rest is sent in unary. @module */

/** The best number of raw bits for the gaps between `count` random positions of `size`: max(0, round(log₂(ln 2 · size / count))). */
export function riceBits(count: number, size: number): number {
  return 31 - Math.clz32(Math.max(1, Math.floor(Math.SQRT2 * Math.LN2 * size / Math.max(1, count))));
}

/** The best number of raw bits for how often something of this probability fails before it succeeds; may exceed 31. */
export function riceBitsOf(probability: number): number {
  let bits = 0;
  while (Math.LN2 / probability >= Math.SQRT2 * 2 ** bits) bits++;
  return bits;
}
