/** Reading a tensor's numbers, without a copy where the backend allows it. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import type { Tensor } from "./tfjs.ts";

/** The members of tfjs's wasm backend by which its memory can be read in place. */
interface HeapBackend {
  readonly dataIdMap: { has(dataId: object): boolean };
  typedArrayFromHeap(tensor: Tensor): Float32Array;
}

/**
 * A float32 tensor's numbers. Read them at once: they are valid until the next operation of tfjs. On the wasm backend
 * tfjs's own `dataSync` copies the numbers, which takes 3.5 ms for a million; here they are read where they lie.
 */
export function numbersOf(tensor: Tensor): Float32Array {
  const backend = tf.backend() as unknown as Partial<HeapBackend>;
  if (backend.typedArrayFromHeap && backend.dataIdMap?.has(tensor.dataId)) return backend.typedArrayFromHeap(tensor);
  return tensor.dataSync<"float32">();
}
