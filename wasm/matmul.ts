/**
 * Matrix products that train well on the wasm backend.
 *
 * tfjs hands a single untransposed product to XNNPACK and computes every other one (transposed, or a batch of several)
 * with a scalar loop that is 10 to 15 times slower. Backward passes consist of transposed products. Here they are
 * reduced to the fast case: operands are transposed first, and a batch becomes one tall product or a series.
 *
 * @module
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import { type Backend, type Call, replace, stock } from "./backend.ts";

/** Below so many multiplications, calling the scalar loop costs less than preparing for the fast path. */
const SMALL = 8192;

/** Registers the kernels. */
export function registerMatMul(): void {
  const matMul = stock("BatchMatMul");
  const fusedMatMul = stock("_FusedMatMul");
  const transpose = stock("Transpose");

  const transposed = (x: TensorInfo, backend: Backend): TensorInfo => {
    const n = x.shape.length;
    return transpose({ x }, backend, { perm: [...x.shape.keys()].map((i) => i < n - 2 ? i : 2 * n - 3 - i) });
  };

  for (const [name, original] of [["BatchMatMul", matMul], ["_FusedMatMul", fusedMatMul]] as const) {
    replace(name, (inputs, backend, attrs) => {
      const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
      const { transposeA, transposeB } = attrs as { transposeA?: boolean; transposeB?: boolean };
      if (!transposeA && !transposeB) return original(inputs, backend, attrs);
      const left = transposeA ? transposed(a, backend) : a;
      const right = transposeB ? transposed(b, backend) : b;
      const out = original({ ...inputs, a: left, b: right }, backend, {
        ...attrs,
        transposeA: false,
        transposeB: false,
      });
      if (transposeA) backend.disposeData(left.dataId);
      if (transposeB) backend.disposeData(right.dataId);
      return out;
    });
  }
}
