/** The learning rate as methods with memory use it. @module */

/** The least learning rate that is not 0 as a float32, in which tfjs applies it, is above this: 2⁻¹⁵⁰, about 7e-46. */
const VANISHES = 2 ** -150;

/**
 * Whether a step with this learning rate changes no parameter: it is 0, or 0 as a float32. Nothing of what is sent is
 * applied then, so a method with memory takes nothing from what it keeps either.
 */
export function isStill(learningRate: number | undefined): boolean {
  return learningRate !== undefined && Math.abs(learningRate) <= VANISHES;
}

/**
 * γ₋/γ, the factor that keeps an error in gradient units worth what it was when the learning rate changes. It is 1 where
 * there was no step before, and in a still step.
 *
 * @param rate γ₋, the learning rate of the last step that was not still; 0: there was none
 * @throws {RangeError} if the learning rate is not finite as a float32
 */
export function rateRatio(rate: Float64Array, learningRate = 1): number {
  requireFiniteRate("the step", learningRate);
  return rate[0] === 0 || isStill(learningRate) ? 1 : rate[0]! / learningRate;
}

/** @throws {RangeError} if the learning rate is not finite as a float32 */
export function requireFiniteRate(what: string, learningRate: number): void {
  if (Number.isFinite(Math.fround(learningRate))) return;
  throw new RangeError(
    `Cannot take ${what}: the learning rate is ${learningRate}, expected one of at most 3.4e38, the largest float32`,
  );
}
