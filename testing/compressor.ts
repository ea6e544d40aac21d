/** The conformance suite of compressors. @module */

import type { Compressor } from "../compressors/compressor.ts";
import { errorProperties } from "./compressor_errors.ts";
import { messageProperties } from "./compressor_messages.ts";
import { type CompressorPropertiesOptions, compressorTrial } from "./compressor_trial.ts";
import type { Property } from "./property.ts";

export type { CompressorPropertiesOptions };

/**
 * What a compressor must satisfy, as named checks. It is judged on adversarial vectors (one-hot, all equal, −0, 1e38,
 * subnormal, ties, huge dynamic range, …), on arrays that fast-check makes up and shrinks, and on damaged messages:
 *
 * - equal input and key give equal bytes, at most `maxByteLength`, whatever was encoded before and whatever the buffer
 *   held; the input is not modified;
 * - decoding is linear in scale, adds to what is there, writes nowhere else, and is finite; it needs nothing that the
 *   sender remembers; nothing calls Math.random or replaces it;
 * - truncated, extended, flipped and made-up messages throw RangeError or decode to finite values, in bounded time, and
 *   nothing outside of the vector is written; a byte too many or too few at the end is not passed over;
 * - a declared error above 0 is there: the message does not just carry the input; decoded values lie on the `lattice`;
 * - where a formula of its error is given: the measured error is that, from both sides;
 * - where it declares ω: the mean over draws is the input, the variance at most ω, and the errors of two ranks in a step
 *   are uncorrelated. Where it declares α: the mean error is at most α; that of each of at least 10 000 draws where `everyDraw`.
 *
 * The statistical tests compare with Bernstein's bound at 2 e⁻³⁰ a test, from the sample's variance and range: a sound
 * compressor fails with probability below 1e-9 per run. A relative bias of 2 % along the input is found at 2000 draws for
 * ω ≤ 1 and 61 numbers. Takes about a second for a compressor of a few microseconds a call.
 *
 * @example
 * ```ts
 * import { compressorProperties } from "@gradwire/tfjs/testing";
 * import { identity } from "@gradwire/tfjs/compressors";
 * for (const { name, check } of compressorProperties(identity(), { draws: 100 })) await check(); // Deno.test(name, check)
 * ```
 */
export function compressorProperties(compressor: Compressor, options: CompressorPropertiesOptions = {}): Property[] {
  const trial = compressorTrial(compressor, options);
  return [...messageProperties(trial), ...errorProperties(trial)];
}
