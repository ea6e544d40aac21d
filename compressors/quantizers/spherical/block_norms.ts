/**
 * The norms of the blocks of spherical compression. The largest is sent by itself, and each block's as its ratio to the
 * largest, rounded to a few bits of mantissa; the mantissa of a float32 has 23.
 *
 * @module
 */

import { fold, type Key, uniform } from "../../../random.ts";
import { fromLeadingBits, leadingBits } from "../../coding/log_scale.ts";
import { normFrom31, normTo31 } from "../../coding/norm.ts";
import { IntegerModel } from "../../coding/integer_model.ts";
import type { RangeDecoder, RangeEncoder } from "../../coding/range_coder.ts";
import { refuse } from "../../coding/refuse.ts";
import { cap } from "../../kernels/cap_search.ts";

/** These 31 bits in place of a norm say that all numbers of the vector follow as they are. */
const EVERYTHING = 0x7fffffff;
/** A logarithmic norm is from LEAST to below ABOVE; others are sent in 31 bits after an escape. */
const LEAST = 2 ** -45, ABOVE = 2 ** 20;
/** A block whose ratio is below this counts as zero. */
const NEGLIGIBLE = 2 ** -126;

/** Writes and reads the norms of one message after the other. */
interface BlockNorms {
  /** Starts a message. */
  reset(): void;
  /**
   * Writes the largest norm and returns what `read` will read. Where it is not that of a block `alone`,
   * this is not below it, since other norms refer to it.
   */
  write(encoder: RangeEncoder, norm: number, key: Key, alone: boolean): number;
  /** Writes, in place of the largest norm, that all numbers follow. */
  writeEverything(encoder: RangeEncoder): void;
  /** The largest norm, or undefined where all numbers follow. */
  read(decoder: RangeDecoder): number | undefined;
  /** Writes the ratio of a block's norm to the largest. Returns whether the block does not count as zero. */
  writeRatio(encoder: RangeEncoder, ratio: number, key: Key, index: number): boolean;
  /** The next ratio, or undefined for a block that counts as zero. @throws {RangeError} if its code is out of range */
  readRatio(decoder: RangeDecoder): number | undefined;
}

/**
 * Norms of `mantissa` bits.
 *
 * @param unbiased whether norms are rounded at random, so that their mean is exact, and not to nearest
 * @param log whether the largest norm is sent in 6 + mantissa bits too, and not in 31
 */
export function blockNorms(name: string, mantissa: number, unbiased: boolean, log: boolean): BlockNorms {
  const ratios = new IntegerModel(), pair = new Float32Array(2);
  // The codes of a logarithmic norm: 0 for 0, 1 for LEAST and so on upwards, and `top` for the escape.
  const bits = 6 + mantissa, least = leadingBits(LEAST, mantissa), top = 2 ** bits - 1;
  const one = leadingBits(1, mantissa);

  /** The leading bits of `value` ≥ 2⁻¹²⁶ as it is rounded. `draw` tells the roundings of a message apart. */
  function round(value: number, key: Key, draw: number): number {
    const below = leadingBits(value, mantissa);
    const low = fromLeadingBits(below, mantissa), high = fromLeadingBits(below + 1, mantissa);
    const part = (value - low) / (high - low);
    return part > (unbiased && part > 0 ? uniform(fold(key, 2), pair, 2 * draw)[0]! : 0.5) ? below + 1 : below;
  }

  return {
    reset: () => ratios.reset(),
    write(encoder, norm, key, alone) {
      if (log) {
        let code = norm > 0 ? top : 0;
        if (norm >= LEAST && norm < ABOVE) {
          code = alone ? round(norm, key, 0) : leadingBits(norm, mantissa);
          if (!alone && fromLeadingBits(code, mantissa) < norm) code++;
          code = Math.min(code - least + 1, top);
        }
        encoder.raw(code, bits);
        if (code < top) return code === 0 ? 0 : fromLeadingBits(code + least - 1, mantissa);
      }
      const sent = normTo31(norm);
      encoder.raw(sent, 31);
      return normFrom31(sent);
    },
    writeEverything(encoder) {
      if (log) encoder.raw(top, bits);
      encoder.raw(EVERYTHING, 31);
    },
    read(decoder) {
      const code = log ? decoder.raw(bits) : top;
      if (code < top) return code === 0 ? 0 : fromLeadingBits(code + least - 1, mantissa);
      const sent = decoder.raw(31);
      return sent === EVERYTHING ? undefined : normFrom31(sent);
    },
    writeRatio(encoder, ratio, key, index) {
      // A ratio may be rounded above 1, which has code 1; smaller ratios have larger codes.
      const code = ratio < NEGLIGIBLE ? 0 : Math.max(1, 1 + one - round(ratio, key, index));
      ratios.encode(encoder, code);
      return code > 0;
    },
    readRatio(decoder) {
      const code = ratios.decode(decoder);
      if (code < 0 || code > one + 1) refuse(name, `a ratio of norms has code ${code}`);
      return code === 0 ? undefined : fromLeadingBits(one + 1 - code, mantissa);
    },
  };
}

/**
 * How many bits of mantissa norms have. Unbiased: the fewest that add at most 2 % to ω. Biased: those that make the message
 * shortest, as fewer bits need a smaller cap, whose probability 2^−bits weighs.
 */
export function mantissaBits(alpha: number, block: number, unbiased: boolean): number {
  let best = 12, most = 0;
  for (let mantissa = 12; mantissa >= 0; mantissa--) {
    const spread = spreadOf(mantissa, unbiased);
    if (unbiased) {
      const omega = 1 / cap(alpha, block).mean ** 2 - 1;
      if (spread * (1 + omega) <= 0.02 * omega) best = mantissa;
    } else if (spread <= alpha / 2) {
      const { probability } = cap((alpha - spread) / (1 - spread), block);
      if (probability * 2 ** -mantissa > most) best = mantissa, most = probability * 2 ** -mantissa;
    }
  }
  return best;
}

/**
 * The relative squared error of a norm of so many bits of mantissa: the largest variance of rounding at random where
 * `unbiased`, and else the largest squared error of rounding to nearest.
 */
export function spreadOf(mantissa: number, unbiased: boolean): number {
  const step = 2 ** -mantissa;
  return unbiased ? step * step / (4 * (1 + step)) : (step / 2 / (1 + step / 2)) ** 2;
}
