/** Checks of what a factory is called with, for callers whom the types do not reach: text, configuration, JavaScript. @module */

import {
  type Compressor,
  type ContractiveCompressor,
  describe,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "./compressor.ts";
import { meant } from "./nearest.ts";
import type { TensorLayout } from "./combinators/per_tensor.ts";
import { isCompressor, isNamed, show, wanted } from "./show.ts";

export { show };

/**
 * The options that a factory was called with: an empty object where it was called without.
 *
 * @throws {TypeError} unless they are an object whose properties are among the known ones
 */
export function checkOptions<O extends object>(what: string, options: O | undefined, known: readonly string[]): O {
  if (options === undefined) return {} as O;
  const expected = known.join(", ");
  if (typeof options !== "object" || options === null || Array.isArray(options) || isNamed(options)) {
    // `topK(10)` instead of `topK({ k: 10 })`. What stands before the options of some factories is not known here.
    const such = ["number", "string", "boolean"].includes(typeof options)
      ? `, as in { ${known[0]}: ${show(options)} }`
      : "";
    throw new TypeError(
      `Cannot make ${what}: its options are ${show(options)}, expected an object with ${expected}${such}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(
        `Cannot make ${what}: there is no option ${show(name)}, expected one of ${expected}${meant(name, known)}`,
      );
    }
  }
  return options;
}

/** @throws {RangeError} unless the value is an integer from least to most */
export function checkInteger(what: string, name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && least <= value && value <= most)) {
    throw new RangeError(
      `Cannot make ${what}: ${name} is ${show(value)}, expected an integer from ${least} to ${most}`,
    );
  }
}

/** @throws {RangeError} unless the value is a number that `holds` accepts, which `expected` says in words */
export function checkNumber(
  what: string,
  name: string,
  value: number,
  holds: (value: number) => boolean,
  expected: string,
): void {
  if (!(typeof value === "number" && holds(value))) {
    throw new RangeError(`Cannot make ${what}: ${name} is ${show(value)}, expected ${expected}`);
  }
}

/** @throws {TypeError} unless the value is one of the choices */
export function checkChoice(what: string, name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) {
    throw new TypeError(`Cannot make ${what}: ${name} is ${show(value)}, expected one of ${choices.join(", ")}`);
  }
}

/** @throws {TypeError} unless the value is true or false */
export function checkBoolean(what: string, name: string, value: boolean): void {
  if (typeof value !== "boolean") {
    throw new TypeError(`Cannot make ${what}: ${name} is ${show(value)}, expected true or false`);
  }
}

/**
 * @throws {TypeError} unless it lists the names and shapes of tensors
 * @throws {RangeError} unless they add up to its size
 */
export function requireLayout(what: string, layout: TensorLayout): void {
  if (
    !(Array.isArray(layout?.names) && Array.isArray(layout.shapes) && layout.shapes.every(Array.isArray) &&
      layout.names.length === layout.shapes.length)
  ) {
    throw new TypeError(
      `Cannot make ${what}: the layout is ${show(layout)}, expected { names, shapes, size } such as layoutOf makes: ` +
        "layoutOf(model.trainableWeights)",
    );
  }
  const total = layout.shapes.map(sizeOf).reduce((sum, size) => sum + size, 0);
  if (total !== layout.size) {
    throw new RangeError(
      `Cannot make ${what}: the shapes add up to ${total}, expected layout.size = ${show(layout.size)}`,
    );
  }
}

/** How many numbers a tensor has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** @throws {TypeError} unless it is a compressor */
export function requireCompressor(what: string, compressor: Compressor, such = "identity()"): void {
  if (isCompressor(compressor)) return;
  throw new TypeError(
    `Cannot make ${what}: the compressor is ${show(compressor)}, expected one such as ${wanted(compressor, such)}`,
  );
}

/** @throws {TypeError} unless it is a compressor that declares an ω */
export function requireUnbiased(what: string, compressor: Compressor): asserts compressor is UnbiasedCompressor {
  requireCompressor(what, compressor, "randK({ ratio: 0.1 })");
  if (!isUnbiased(compressor)) {
    throw new TypeError(
      `Cannot make ${what}: ${
        describe(compressor)
      } is not unbiased, expected a compressor with an omega, such as randK${induce(compressor)}`,
    );
  }
}

/** @throws {TypeError} unless it is a compressor that declares an α */
export function requireContractive(what: string, compressor: Compressor): asserts compressor is ContractiveCompressor {
  requireCompressor(what, compressor, "topK({ ratio: 0.1 })");
  if (!isContractive(compressor)) {
    throw new TypeError(
      `Cannot make ${what}: ${describe(compressor)} is ${isUnbiased(compressor) ? "unbiased, " : ""}not contractive, ` +
        (isUnbiased(compressor)
          ? `expected one with an alpha: wrap it, contractive(${describe(compressor)})`
          : "expected a compressor with an alpha, such as topK or contractive(unbiased)"),
    );
  }
}

/** How a compressor that is contractive becomes unbiased. */
function induce(compressor: Compressor): string {
  return isContractive(compressor)
    ? `: wrap it, induced(${
      describe(compressor)
    }, unbiased), where unbiased is randK or another; or feed errors back, ` +
      "with errorFeedback or ef21"
    : " or induced(biased, unbiased)";
}
