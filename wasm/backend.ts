/**
 * What the kernels of this folder share: a way to take the place of a registered kernel, which can still be called, and
 * a second WebAssembly module that works inside the backend's memory, so that tensors need not be copied.
 *
 * @module
 */

import * as tf from "../dependencies/tfjs.ts";
import type { BackendWasm } from "../dependencies/tfjs_backend_wasm.ts";
import { BINARY } from "./binary.ts";

/** The wasm backend. tfjs's own kernels use its `dataIdMap`, `makeOutput` and `wasm` too. */
export type Backend = BackendWasm;

/** A kernel of the wasm backend with one result. */
type Kernel = (inputs: tf.NamedTensorInfoMap, backend: Backend, attrs: tf.NamedAttrMap) => tf.TensorInfo;

/**
 * Puts `wrap(kernel)` in the place of a registered kernel and keeps its setup. tfjs does not warn, because the old
 * kernel is unregistered first.
 */
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

/** Where a tensor's numbers begin, in bytes from the start of the backend's memory. */
export function pointer({ dataId }: tf.TensorInfo, backend: Backend): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

/** The exports of assembly/kernels.ts, which describes them. */
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
  /** Where the memory lies that `matmul` works in. It is held as long as the backend lives. */
  readonly scratch: number;
}

/** The bytes that `matmul` works in: a tile of 4 × 8 and a panel of 384 × 8 numbers of 4 bytes. */
const SCRATCH_BYTES = 12_416;
const natives = new WeakMap<Backend, Native | null>();

/**
 * The second module over this backend's memory. Null where there can be none: without SIMD, and where the memory is
 * shared by threads, as in a cross-origin isolated page, where tfjs's own products use all threads.
 */
export function native(backend: Backend): Native | null {
  let exports = natives.get(backend);
  if (exports === undefined) natives.set(backend, exports = instantiate(backend));
  return exports;
}

function instantiate(backend: Backend): Native | null {
  // Emscripten's exports. One of them is the memory, under a name that its optimiser may shorten.
  const { asm, _malloc } = backend.wasm as unknown as { asm?: WebAssembly.Exports; _malloc(bytes: number): number };
  const memory = Object.values(asm ?? {}).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(BINARY.replaceAll("\n", "")), (letter) => letter.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    // malloc returns a signed number, which is negative beyond 2 GiB.
    return { ...exports as unknown as Native, scratch: _malloc(SCRATCH_BYTES) >>> 0 };
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) return null;
    throw error;
  }
}
