/** What some methods need in their context, and not all drivers give. @module */

import type { Context } from "../method.ts";
import { isStill, requireFiniteRate } from "./rate.ts";

/**
 * The model's parameters.
 *
 * @param name the method's name, for the message
 * @throws {TypeError} if the driver did not pass them
 */
export function requireParameters(name: string, { parameters }: Context): Float32Array {
  if (parameters === undefined) {
    throw new TypeError(`Cannot take a step of ${name}: the context has no parameters, expected the model's`);
  }
  return parameters;
}

/**
 * The learning rate, for methods whose own update needs it; 0 where it is 0 as a float32.
 *
 * @param name the method's name, for the message
 * @throws {TypeError} if the driver did not pass one
 * @throws {RangeError} if it is not finite as a float32
 */
export function requireRate(name: string, { learningRate }: Context): number {
  if (learningRate === undefined) {
    throw new TypeError(
      `Cannot take a step of ${name}: the context has no learning rate, expected that of an optimizer such as sgd(0.1)`,
    );
  }
  requireFiniteRate(`a step of ${name}`, learningRate);
  return isStill(learningRate) ? 0 : learningRate;
}
