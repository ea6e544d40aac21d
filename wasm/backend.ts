/**
 * What the kernels of this folder share: taking the place of a registered kernel while keeping it at hand, and a second
 * WebAssembly module that works inside the backend's memory, so that tensors need not be copied.
 *
 * @module
 */

import * as tf from "../dependencies/tfjs.ts";
import type { BackendWasm } from "../dependencies/tfjs_backend_wasm.ts";
import { BINARY } from "./binary.ts";

/** The wasm backend; `dataIdMap`, `makeOutput` and `wasm` are the public surface that its own kernels use too. */
export type Backend = BackendWasm;

/** A kernel of the wasm backend with one result. */
type Kernel = (inputs: tf.NamedTensorInfoMap, backend: Backend, attrs: tf.NamedAttrMap) => tf.TensorInfo;

/** Puts `wrap(kernel)` in the place of a registered kernel, whose setup is kept, without tfjs's warning. */
export function replace(kernelName: string, wrap: (registered: Kernel) => Kernel): void {
  const config = tf.getKernel(kernelName, "wasm");
  const kernel = wrap((inputs, backend, attrs) => config.kernelFunc({ inputs, backend, attrs }) as tf.TensorInfo);
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    ...config,
    kernelFunc: ({ inputs, backend, attrs }) => kernel(inputs, backend as Backend, attrs ?? {}),
  });
}

/** Calls another kernel of the backend. */
export function call(
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  backend: Backend,
  attrs: tf.NamedAttrMap = {},
): tf.TensorInfo {
  return tf.getKernel(kernelName, "wasm").kernelFunc({ inputs, backend, attrs }) as tf.TensorInfo;
}

/** Where a tensor's data begin, in bytes from the start of the backend's memory. */
export function pointer({ dataId }: tf.TensorInfo, backend: Backend): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

/** The exports of assembly/kernels.ts, where they are described. */
interface Native {
  matmul(
    a: number,
    b: number,
    bias: number,
    c: number,
    m: number,
    k: number,
    n: number,
    transposeA: boolean,
    transposeB: boolean,
    scratch: number,
  ): void;
  sqrt(x: number, y: number, size: number): void;
  adam(
    first: number,
    second: number,
    gradient: number,
    value: number,
    newFirst: number,
    newSecond: number,
    newValue: number,
    size: number,
    beta1: number,
    decay1: number,
    scale1: number,
    beta2: number,
    decay2: number,
    scale2: number,
    epsilon: number,
    rate: number,
  ): void;
  /** Memory that `matmul` works in, for the lifetime of the backend. */
  readonly scratch: number;
}

const SCRATCH_BYTES = 12_416;
const natives = new WeakMap<Backend, Native | null>();

/**
 * The module over this backend's memory. Null where it cannot be: no SIMD, or memory that is shared by the threads of
 * a cross-origin isolated page, where XNNPACK's threads are the better choice anyway.
 */
export function native(backend: Backend): Native | null {
  let exports = natives.get(backend);
  if (exports === undefined) natives.set(backend, exports = instantiate(backend));
  return exports;
}

function instantiate(backend: Backend): Native | null {
  // Emscripten's own exports, one of which is the memory under a name that its optimiser may shorten.
  const { asm, _malloc } = backend.wasm as unknown as { asm?: WebAssembly.Exports; _malloc(bytes: number): number };
  const memory = Object.values(asm ?? {}).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(BINARY.replaceAll("\n", "")), (letter) => letter.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    // malloc answers with a signed number, also beyond 2 GiB.
    return { ...exports as unknown as Native, scratch: _malloc(SCRATCH_BYTES) >>> 0 };
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) return null;
    throw error;
  }
}
