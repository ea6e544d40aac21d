/**
 * What the kernels of this folder share: replacing a registered kernel of the wasm backend while keeping the original
 * at hand, and small helpers over the backend's buffers.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

/** The wasm backend, whose `dataIdMap` and `wasm` are the public surface that its own kernels use. */
export type Backend = BackendWasm;

/** What a kernel is called with. */
export type Call = Parameters<tf.KernelFunc>[0];

/** A kernel of the wasm backend with one result. */
export type Kernel = (inputs: Call["inputs"], backend: Backend, attrs: tf.NamedAttrMap) => tf.TensorInfo;

/** The registered kernel, as a function; what is registered later under its name does not change it. */
export function stock(kernelName: string): Kernel {
  const config = tf.getKernel(kernelName, "wasm");
  return (inputs, backend, attrs) => config.kernelFunc({ inputs, backend, attrs }) as tf.TensorInfo;
}

/** Puts `kernel` in the place of a registered kernel, whose setup and disposal are kept, without tfjs's warning. */
export function replace(kernelName: string, kernel: Kernel): void {
  const config = tf.getKernel(kernelName, "wasm");
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    ...config,
    kernelFunc: ({ inputs, backend, attrs }) => kernel(inputs, backend as Backend, attrs ?? {}),
  });
}
