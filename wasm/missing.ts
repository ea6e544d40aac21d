/**
 * The kernels that tfjs's wasm backend lacks: errors that say which layer needs them and which backends have them.
 *
 * @module
 */

import * as tf from "../dependencies/tfjs.ts";

/** The kernels that the cpu backend has and the wasm backend lacks, and what each is needed for. */
const missing: Readonly<Record<string, string>> = {
  Conv2DBackpropFilter: "the gradient of convolutions (conv1d, conv2d, separableConv2d)",
  DepthwiseConv2dNativeBackpropFilter: "the gradient of depthwise and separable convolutions",
  DepthwiseConv2dNativeBackpropInput: "the gradient of depthwise and separable convolutions",
  UnsortedSegmentSum: "the gradient of embeddings and of tf.gather",
  Einsum: "tf.einsum",
  Complex: "complex numbers",
  ComplexAbs: "complex numbers",
  Real: "complex numbers",
  Imag: "complex numbers",
  FFT: "Fourier transforms",
  IFFT: "Fourier transforms",
  RaggedGather: "ragged tensors",
  RaggedRange: "ragged tensors",
  RaggedTensorToTensor: "ragged tensors",
  StaticRegexReplace: "tf.string.staticRegexReplace",
};

/**
 * Registers in place of each missing kernel one that throws an error. tfjs's own error ("Kernel 'Conv2DBackpropFilter'
 * not registered for backend 'wasm'") names neither the layer nor a way out. A kernel that is registered already is
 * left alone.
 */
export function registerMissing(): void {
  for (const [kernelName, needs] of Object.entries(missing)) {
    if (tf.getKernel(kernelName, "wasm") !== undefined) continue;
    tf.registerKernel({
      kernelName,
      backendName: "wasm",
      kernelFunc: () => {
        const others = Object.keys(tf.engine().registryFactory).filter((backend) =>
          backend !== "wasm" && tf.getKernel(kernelName, backend) !== undefined
        );
        const named = others.map((backend) => `"${backend}"`).join(" or ") || "none that is registered";
        throw new Error(
          `Cannot run ${kernelName} on the wasm backend: it has no such kernel, which ${needs} needs. Backends that ` +
            `have it: ${named}${
              others.length > 0 ? `; await tf.setBackend("${others.at(-1)}") before the model is made` : ""
            }`,
        );
      },
    });
  }
}
