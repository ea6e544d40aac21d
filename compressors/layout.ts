/** The tensors that make up a flat vector. @module */

import { show } from "../options.ts";

/** The tensors that a flat vector consists of, one after the other, as a model's parameters: their names, shapes and total length. */
export interface Layout {
  /** Their names, used only to report. */
  readonly names: readonly string[];
  /** Their shapes, in the same order. */
  readonly shapes: readonly (readonly number[])[];
  /** The sum over shapes of their products. */
  readonly size: number;
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
