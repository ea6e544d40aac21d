/** The tensors that make up a flat vector. @module */

import { show } from "../options.ts";

/** The tensors that a flat vector consists of, one after the other, such as the parameters of a model. */
export interface Layout {
  /** The names of the tensors, for messages. */
  readonly names: readonly string[];
  /** The shapes of the tensors, in the same order. */
  readonly shapes: readonly (readonly number[])[];
  /** How many numbers all tensors have together. */
  readonly size: number;
}

/** One tensor of a layout. */
export interface TensorOfLayout {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** How many numbers it has: the product of its shape. */
  readonly size: number;
  /** Its place in the layout. */
  readonly index: number;
}

/**
 * @throws {TypeError} unless it lists the names and shapes of tensors
 * @throws {RangeError} unless they add up to its size
 */
export function requireLayout(doing: string, layout: Layout): void {
  if (
    !(Array.isArray(layout?.names) && Array.isArray(layout.shapes) && layout.shapes.every(Array.isArray) &&
      layout.names.length === layout.shapes.length)
  ) {
    throw new TypeError(
      `Cannot ${doing}: the layout is ${show(layout)}, expected { names, shapes, size } such as layoutOf makes: ` +
        "layoutOf(model.trainableWeights)",
    );
  }
  const total = layout.shapes.map(sizeOf).reduce((sum, size) => sum + size, 0);
  if (total !== layout.size) {
    throw new RangeError(
      `Cannot ${doing}: the shapes add up to ${total}, expected layout.size = ${show(layout.size)}`,
    );
  }
}

/** How many numbers a tensor has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
