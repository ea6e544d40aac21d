/** Reading a tensor's numbers without copying them, where the backend allows it. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import type { Tensor } from "./tfjs.ts";

/** What of the wasm backend lets its memory be read in place. */
interface HeapBackend {
  readonly dataIdMap: { has(dataId: object): boolean };
  typedArrayFromHeap(tensor: Tensor): Float32Array;
}

/**
 * A float32 tensor's numbers, to be read at once: they are valid until the next operation of tfjs. tfjs's `dataSync`
 * copies them on the wasm backend, which for a million numbers takes 3.5 ms where reading them in place takes none.
 */
export function numbersOf(tensor: Tensor): Float32Array {
  const backend = tf.backend() as unknown as Partial<HeapBackend>;
  if (backend.typedArrayFromHeap && backend.dataIdMap?.has(tensor.dataId)) return backend.typedArrayFromHeap(tensor);
  return tensor.dataSync<"float32">();
}
