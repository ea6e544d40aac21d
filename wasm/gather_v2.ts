/**
 * Rows picked by index, by which `model.fit` makes its batches and embeddings look up their vectors. tfjs computes the
 * place of every single number; here each row is copied as a whole.
 *
 * @module
 */

import * as tf from "../dependencies/tfjs.ts";
import { pointer, replace } from "./backend.ts";

/** Takes the place of the wasm backend's GatherV2. Call it once. */
export function registerGather(): void {
  replace("GatherV2", (registered) => (inputs, backend, attrs) => {
    const { x, indices } = inputs as { x: tf.TensorInfo; indices: tf.TensorInfo };
    const { axis, batchDims = 0 } = attrs as { axis: number; batchDims?: number };
    const own = x.dtype === "float32" || x.dtype === "int32" || x.dtype === "bool";
    if (!own || indices.dtype !== "int32") return registered(inputs, backend, attrs);

    // x has the shape batch × outer × size × slice, and the result batch × outer × count × slice.
    const along = tf.util.parseAxisParam(axis, x.shape)[0]!;
    const { batchSize: batch, outerSize: outer, dimSize: size, sliceSize: slice, outputShape } = tf.backend_util
      .segment_util.collectGatherOpShapeInfo(x as tf.Tensor, indices as tf.Tensor, along, batchDims);
    // Asking where x lies may bring it into this backend and thereby grow the memory, so it comes before any view of
    // it.
    const source = pointer(x, backend);
    const picked = backend.typedArrayFromHeap(indices);
    // The registered kernel refuses an index out of range, and gathers nothing.
    const valid = picked.every((index) => index >= 0 && index < size);
    if (!valid || slice === 0 || picked.length === 0) return registered(inputs, backend, attrs);

    const out = backend.makeOutput(outputShape, x.dtype);
    const { buffer } = backend.typedArrayFromHeap(out);
    const heap = x.dtype === "bool" ? new Uint8Array(buffer) : new Uint32Array(buffer);
    const from = source / heap.BYTES_PER_ELEMENT;
    let to = pointer(out, backend) / heap.BYTES_PER_ELEMENT;
    // The view is made anew, because makeOutput may have grown the memory, which empties the views of the old one.
    const index = backend.typedArrayFromHeap(indices);
    const count = index.length / batch;
    for (let b = 0; b < batch; b++) {
      for (let o = 0; o < outer; o++) {
        const start = from + (b * outer + o) * size * slice;
        for (let i = b * count; i < (b + 1) * count; i++, to += slice) {
          const row = start + index[i]! * slice;
          if (slice > 16) heap.copyWithin(to, row, row + slice);
          else for (let s = 0; s < slice; s++) heap[to + s] = heap[row + s]!;
        }
      }
    }
    return out;
  });
}
