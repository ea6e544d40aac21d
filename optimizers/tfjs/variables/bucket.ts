/** All trained weights, or their gradients, as one flat vector. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import { digest } from "../../files/digest.ts";
import type { Layout } from "../../methods/method.ts";
import { allFinite } from "../../methods/parts/finite.ts";
import { numbersOf } from "./numbers.ts";
import type { Tensor } from "./tfjs.ts";

/** What a layout needs to know of a variable. */
export interface Named {
  /** The variable's name, which messages use. */
  readonly name: string;
  /** The variable's shape. */
  readonly shape: readonly number[];
}

/**
 * Makes the layout of variables: their names and shapes in the order given, and how many numbers they have together.
 *
 * @throws {TypeError} if `variables` is not an array of what has a name and a shape
 *
 * @example
 * ```ts
 * import { layoutOf } from "@gradwire/tfjs/optimizers";
 * const layout = layoutOf([{ name: "kernel", shape: [2, 3] }, { name: "bias", shape: [3] }]);
 * console.assert(layout.size === 9);
 * ```
 */
export function layoutOf(variables: readonly Named[]): Layout {
  if (!Array.isArray(variables) || variables.some((variable) => !Array.isArray(variable?.shape))) {
    throw new TypeError(
      `Cannot make a layout: the variables are ${show(variables)}, expected an array of what has a name and a shape: ` +
        "layoutOf(model.trainableWeights)",
    );
  }
  const names = variables.map(({ name }) => name), shapes = variables.map(({ shape }) => shape.slice());
  return { names, shapes, size: shapes.reduce((size, shape) => size + count(shape), 0) };
}

/**
 * Computes a digest of a layout's shapes in their order: 16 hexadecimal digits. Names are left out, because tfjs
 * numbers layers in the order in which a process makes them, so that two ranks may name the variables of one model
 * differently.
 *
 * @example
 * ```ts
 * import { layoutDigest, layoutOf } from "@gradwire/tfjs/optimizers";
 * const [a, b] = ["kernel", "kernel_1"].map((name) => layoutDigest(layoutOf([{ name, shape: [2, 3] }])));
 * console.assert(a === b);
 * ```
 */
export function layoutDigest(layout: Layout): string {
  return digest().text(JSON.stringify(layout.shapes)).hex();
}

/**
 * All variables of a layout as one flat vector in a fixed order. The vector is made once, 4 bytes a number, and used
 * again in every step: a step copies numbers and allocates nothing in proportion to the model.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { Bucket, layoutOf } from "@gradwire/tfjs/optimizers";
 * const bucket = new Bucket(layoutOf([{ name: "a", shape: [2] }, { name: "b", shape: [1] }]));
 * console.assert(bucket.gather([tf.tensor1d([1, 2]), undefined]).join() === "1,2,0");
 * console.assert(bucket.tensor(0).dataSync().join() === "1,2");
 * ```
 */
export class Bucket {
  /** The names and shapes of the variables, in their order in the vector. */
  readonly layout: Layout;
  /** The flat vector of `layout.size` numbers. */
  readonly vector: Float32Array;
  /** Where each variable starts in the vector; the last entry is the vector's length. */
  readonly offsets: readonly number[];

  /** Makes a bucket of zeros for variables of this layout. */
  constructor(layout: Layout) {
    this.layout = layout;
    this.vector = new Float32Array(layout.size);
    const offsets = [0];
    for (const shape of layout.shapes) offsets.push(offsets.at(-1)! + count(shape));
    this.offsets = offsets;
  }

  /**
   * Copies tensors, one for each variable, into a vector one after the other. A missing tensor counts as zeros.
   *
   * @param into where to. Default: the bucket's own vector
   * @returns `into`
   * @throws {RangeError} if there are not as many tensors as variables, or one has another size or is not float32
   */
  gather(tensors: readonly (Tensor | null | undefined)[], into: Float32Array = this.vector): Float32Array {
    const { layout: { names, shapes }, offsets } = this;
    if (tensors.length !== names.length) {
      throw new RangeError(`Cannot gather ${tensors.length} tensors: the bucket holds ${names.length}`);
    }
    tensors.forEach((tensor, i) => {
      if (tensor === null || tensor === undefined) {
        into.fill(0, offsets[i]!, offsets[i + 1]!);
      } else if (tensor.dtype !== "float32" || tensor.size !== offsets[i + 1]! - offsets[i]!) {
        throw new RangeError(
          `Cannot gather variable ${i} (${
            names[i]
          }): the tensor is ${tensor.dtype} of shape [${tensor.shape}], expected float32 of shape [${shapes[i]}]`,
        );
      } else {
        into.set(numbersOf(tensor), offsets[i]!);
      }
    });
    return into;
  }

  /**
   * Makes a tensor of variable i's numbers. On tfjs's cpu backend it shares the vector's memory: use it and dispose of
   * it before the vector changes.
   *
   * @param from the vector to take the numbers from. Default: the bucket's own
   */
  tensor(i: number, from: Float32Array = this.vector): Tensor {
    const view = from.subarray(this.offsets[i]!, this.offsets[i + 1]!);
    return tf.tensor(view, this.layout.shapes[i]!.slice(), "float32");
  }

  /** Whether all numbers of variable i in the bucket's vector are zero. */
  isZero(i: number): boolean {
    const end = this.offsets[i + 1]!;
    let at = this.offsets[i]!;
    while (at < end && this.vector[at] === 0) at++;
    return at === end;
  }

  /** The first variable with a NaN or an infinity in `vector` (default: the bucket's own), or −1 if there is none. */
  firstNonFinite(vector: Float32Array = this.vector): number {
    const { offsets } = this;
    if (allFinite(vector)) return -1;
    const at = vector.findIndex((value) => !Number.isFinite(value));
    return offsets.findIndex((offset) => offset > at) - 1;
  }
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
