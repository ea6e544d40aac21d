/**
 * Working memory that is kept from call to call, so that a call allocates nothing in proportion to the vector. It grows to
 * the largest length that was asked for, and is not cleared in between.
 *
 * @module
 */

type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** Makes an array of the given type, and returns a function that lends its first `length` elements. */
export function scratch<A extends Numbers>(type: new (length: number) => A): (length: number) => A {
  let memory = new type(0);
  return (length) => {
    if (memory.length < length) memory = new type(length);
    return (memory.length === length ? memory : memory.subarray(0, length)) as A;
  };
}
