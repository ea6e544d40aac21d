/**
 * Matrix products for training on the wasm backend.
 *
 * tfjs gives only a single product of untransposed matrices to XNNPACK, which packs the right matrix first. For weights
 * that change in every step, packing can cost more than the product. All other products, transposed ones and batches,
 * go through a scalar loop that is ten times slower, and backward passes consist of transposed products. Here one SIMD
 * kernel computes all of them and reads both matrices where they lie. Where there can be no such kernel, matrices are
 * transposed first.
 *
 * @module
 */

import * as tf from "../dependencies/tfjs.ts";
import { type Backend, call, native, pointer, replace } from "./backend.ts";

interface Product {
  readonly a: tf.TensorInfo;
  readonly b: tf.TensorInfo;
  readonly bias?: tf.TensorInfo;
  readonly preluActivationWeights?: tf.TensorInfo;
}

interface ProductAttrs {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** Takes the place of the wasm backend's BatchMatMul and _FusedMatMul. Call it once. */
export function registerMatMul(): void {
  for (const name of ["BatchMatMul", "_FusedMatMul"]) {
    replace(name, (registered) => (inputs, backend, attrs) => {
      const { a, b, bias } = inputs as unknown as Product;
      const { transposeA = false, transposeB = false } = attrs as ProductAttrs;
      // The registered kernel refuses what is no product of floats, and a bias that is no row.
      const usual = a.dtype === "float32" && b.dtype === "float32" && (bias === undefined || bias.shape.length === 1);
      if (usual && native(backend)) return activated(product(inputs, backend, attrs), inputs, backend, attrs);
      if (!usual || (!transposeA && !transposeB)) return registered(inputs, backend, attrs);

      const left = transposeA ? transposed(a, backend) : a;
      const right = transposeB ? transposed(b, backend) : b;
      const plain = { ...attrs, transposeA: false, transposeB: false };
      const out = registered({ ...inputs, a: left, b: right }, backend, plain);
      if (transposeA) backend.disposeData(left.dataId);
      if (transposeB) backend.disposeData(right.dataId);
      return out;
    });
  }
}

/** Computes a · b + bias for each pair of matrices. The leading axes of a and b are broadcast. */
function product(inputs: tf.NamedTensorInfoMap, backend: Backend, attrs: tf.NamedAttrMap): tf.TensorInfo {
  const { a, b, bias } = inputs as unknown as Product;
  const { transposeA = false, transposeB = false } = attrs as ProductAttrs;
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (inner !== k) {
    throw new Error(
      `Cannot multiply matrices of shapes [${a.shape}] and [${b.shape}] with transposeA=${transposeA} and ` +
        `transposeB=${transposeB}: the inner sizes ${k} and ${inner} differ`,
    );
  }
  const batchA = a.shape.slice(0, -2), batchB = b.shape.slice(0, -2);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const out = backend.makeOutput([...batch, m, n], "float32");
  const { matmul, scratch } = native(backend)!;
  // Pointers stay right when makeOutput grows the memory, because it never moves a tensor.
  const from = pointer(a, backend), and = pointer(b, backend), to = pointer(out, backend);
  const add = bias ? pointer(bias, backend) : 0;
  const indexA = broadcastIndices(batchA, batch), indexB = broadcastIndices(batchB, batch);
  for (let i = 0; i < indexA.length; i++) {
    const x = from + 4 * m * k * indexA[i]!, y = and + 4 * k * n * indexB[i]!;
    matmul(x, y, add, to + 4 * m * n * i, m, k, n, transposeA, transposeB, scratch);
  }
  return out;
}

/** For each matrix of a batch of shape `to`, its index in a batch of shape `from` that is broadcast to it. */
function broadcastIndices(from: readonly number[], to: readonly number[]): number[] {
  let indices = [0];
  const sizes = [...new Array<number>(to.length - from.length).fill(1), ...from];
  for (const [axis, size] of to.entries()) {
    const own = sizes[axis]!;
    indices = indices.flatMap((index) => Array.from({ length: size }, (_, i) => index * own + (own === 1 ? 0 : i)));
  }
  return indices;
}

/** Applies the activation of a fused product by the backend's own kernel, which takes the place of `x`. */
function activated(
  x: tf.TensorInfo,
  inputs: tf.NamedTensorInfoMap,
  backend: Backend,
  attrs: tf.NamedAttrMap,
): tf.TensorInfo {
  const { activation = "linear", leakyreluAlpha = 0.2 } = attrs as ProductAttrs;
  if (activation === "linear") return x;
  const kernels: Record<string, () => tf.TensorInfo> = {
    relu: () => call("Relu", { x }, backend),
    relu6: () => call("Relu6", { x }, backend),
    elu: () => call("Elu", { x }, backend),
    sigmoid: () => call("Sigmoid", { x }, backend),
    leakyrelu: () => call("LeakyRelu", { x }, backend, { alpha: leakyreluAlpha }),
    prelu: () => call("Prelu", { x, alpha: inputs.preluActivationWeights }, backend),
  };
  try {
    const kernel = kernels[activation];
    if (!kernel) {
      throw new Error(`Cannot apply ${activation} to a product: expected linear, ${Object.keys(kernels).join(", ")}`);
    }
    return kernel();
  } finally {
    backend.disposeData(x.dataId);
  }
}

/** Exchanges the last two axes. */
function transposed(x: tf.TensorInfo, backend: Backend): tf.TensorInfo {
  const rank = x.shape.length;
  const perm = Array.from({ length: rank }, (_, i) => i < rank - 2 ? i : 2 * rank - 3 - i);
  return call("Transpose", { x }, backend, { perm });
}
