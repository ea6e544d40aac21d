/**
 * Working memory of one unit: grows to the largest length asked for and is reused, so that a call allocates nothing
 * in proportion to the vector. What it held before is not cleared.
 *
 * @module
 */

type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** A function that returns the first `length` elements of a reused array of the given type. */
export function scratch<A extends Numbers>(type: new (length: number) => A): (length: number) => A {
  let memory = new type(0);
  return (length) => {
    if (memory.length < length) memory = new type(length);
    return (memory.length === length ? memory : memory.subarray(0, length)) as A;
  };
}
