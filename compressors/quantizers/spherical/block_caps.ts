/** The caps of the blocks that spherical compression cuts a vector into, and how a candidate's number is coded. @module */

import { riceBitsOf } from "../../coding/rice.ts";
import { cap } from "../../kernels/cap_search.ts";

/** What both ends compute for blocks of one size. a is the size of the cap, x the block and y a point of the unit sphere. */
interface BlockCap {
  /** √(1 − a): the least ⟨y, x⟩ / ‖x‖ of the cap. */
  readonly threshold: number;
  /** What the decoded point is multiplied by, in addition to the norm. */
  readonly gain: number;
  /** How many low bits of a candidate's number are sent as they are. */
  readonly rice: number;
  /** How many candidates are tried at most. */
  readonly budget: number;
  /** What stands in place of the high bits of a number where no candidate was found: one more than any. */
  readonly escape: number;
}

/** The caps by block size. */
interface BlockCaps {
  /** The cap of blocks of `size` numbers. */
  of(size: number): BlockCap;
  /** ω of a block of `size` numbers, if the compressor is unbiased. */
  omega(size: number): number;
}

/**
 * The caps for the squared error `alpha`.
 *
 * @param budget candidates that are tried at most, in units of how many are needed on average
 * @param spread what rounding a norm adds to the relative squared error: at worst if biased, on average if unbiased
 */
export function blockCaps(alpha: number, budget: number, unbiased: boolean, spread: number): BlockCaps {
  const caps = new Map<number, BlockCap>();
  // The biased cap is smaller by what rounding the norm adds. A millionth is left for the rounding to float32.
  const a = (unbiased ? alpha : (alpha - spread) / (1 - spread)) * (1 - 1e-6), threshold = Math.sqrt(1 - a);

  function of(size: number): BlockCap {
    let known = caps.get(size);
    if (known === undefined) {
      const { probability, mean } = cap(a, size),
        most = Math.ceil(budget / probability),
        rice = riceBitsOf(probability);
      const escape = Math.floor((most - 1) / 2 ** rice) + 1;
      known = { threshold, gain: unbiased ? 1 / mean : threshold, rice, budget: most, escape };
      caps.set(size, known);
    }
    return known;
  }

  return {
    of,
    omega(size) {
      // A single number is its norm and a sign.
      const gain = size === 1 ? 1 : of(size).gain;
      return gain * gain * (1 + spread) - 1;
    },
  };
}

/** The most numbers in a block for which a candidate is found among 1000 on average. */
export function defaultBlock(alpha: number): number {
  let block = 1;
  while (block < 1024 && cap(alpha, block + 1).probability >= 1e-3) block++;
  return block;
}
