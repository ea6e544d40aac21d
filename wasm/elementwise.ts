/** Square roots by SIMD, which tfjs computes one number at a time. @module */

import * as tf from "../dependencies/tfjs.ts";
import { native, pointer, replace } from "./backend.ts";

/** Takes the place of the wasm backend's Sqrt, which adaptive optimizers call on all weights. Call it once. */
export function registerElementwise(): void {
  replace("Sqrt", (registered) => (inputs, backend, attrs) => {
    const x = inputs.x!;
    const module = native(backend);
    if (x.dtype !== "float32" || !module) return registered(inputs, backend, attrs);
    const out = backend.makeOutput(x.shape, "float32");
    module.sqrt(pointer(x, backend), pointer(out, backend), tf.util.sizeFromShape(x.shape));
    return out;
  });
}
