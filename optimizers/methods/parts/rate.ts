/** The learning rate, for methods that keep what they have not sent. @module */

/**
 * Learning rates up to this, about 7e-46, are 0 as a float32, in which tfjs applies them: half of the least float32.
 */
const VANISHES = 2 ** -150;

/**
 * Whether a step with this learning rate is still: changes no parameter, for the rate is 0 as a float32. Nothing of
 * what is sent is applied then, so methods take nothing from what they keep either.
 */
export function isStill(learningRate: number | undefined): boolean {
  return learningRate !== undefined && Math.abs(learningRate) <= VANISHES;
}

/**
 * γ₋/γ, the old learning rate over the new one: the factor by which an error in units of the gradient keeps the
 * displacement that it is worth. It is 1 where there was no step before, and in a still step.
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
