/**
 * tfjs's wasm backend with this package's kernels and, for comparison, its own: `withStock` puts back what was
 * registered before this package was imported. Every test of this folder imports tfjs from here.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

tf.enableProdMode(); // Which is how one tells tfjs not to advertise other packages when the cpu backend starts.
await import("@tensorflow/tfjs-backend-wasm");
const before = new Map(tf.getKernelsForBackend("wasm").map((config) => [config.kernelName, config]));
const stockAdam = tf.AdamOptimizer.prototype.applyGradients;
await import("../../wasm/mod.ts");
const ourAdam = tf.AdamOptimizer.prototype.applyGradients;
if (!await tf.setBackend("wasm")) throw new Error("Cannot test: the wasm backend did not start");

export { tf };

/** Runs `run`, which may be asynchronous, with the kernels and the Adam that tfjs has itself. */
export function withStock<R>(run: () => R): R {
  const ours = tf.getKernelsForBackend("wasm").filter(({ kernelName }) => before.has(kernelName));
  const put = (configs: Iterable<tf.KernelConfig>) => {
    for (const config of configs) {
      tf.unregisterKernel(config.kernelName, "wasm");
      tf.registerKernel(config);
    }
  };
  const back = () => {
    put(ours);
    tf.AdamOptimizer.prototype.applyGradients = ourAdam;
  };
  put(before.values());
  tf.AdamOptimizer.prototype.applyGradients = stockAdam;
  let result: R | undefined;
  try {
    return result = run();
  } finally {
    if (result instanceof Promise) result.then(back, back);
    else back();
  }
}

/** Tensors, bytes that tfjs counts, and entries that the backend holds: all must be as before when a test is over. */
export function held(): { tensors: number; bytes: number; data: number } {
  const { numTensors, numBytes } = tf.memory();
  return { tensors: numTensors, bytes: numBytes, data: (tf.backend() as BackendWasm).numDataIds() };
}

/** Bytes that WebAssembly has taken from the system. */
export function heapBytes(): number {
  return (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.buffer.byteLength;
}
