import { sumOfMagnitudes } from "../../../compressors/kernels/sums.ts";
import { fold, key } from "../../../random.ts";
import { checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { allFinite, requireFinite } from "../parts/finite.ts";
import { reduceMean } from "../parts/mean.ts";
import { keyFor } from "../keys.ts";
import {
  addProduct,
  gaussian,
  matricesOf,
  type MatrixPart,
  multiply,
  multiplyTransposed,
  orthonormalise,
} from "../parts/matrix.ts";
import { powerOfTwo } from "../../../compressors/kernels/float32.ts";
import { isStill, rateRatio } from "../parts/rate.ts";
import type { Layout, Method } from "../method.ts";
import { addScaled, scale } from "../parts/vector.ts";

/** State of {@linkcode powerSgd}. */
export type PowerSgdState = {
  /** What this rank has not sent yet. */
  readonly local: { readonly error: Float32Array };
  /** `q`: the Q of each matrix, one after the other; `rate`: the learning rate of the step before (0: none yet). */
  readonly shared: { readonly q: Float32Array; readonly rate: Float64Array };
};

/** Options of {@linkcode powerSgd}. */
export interface PowerSgdOptions {
  /** r, the rank of the approximations. Default 2; 1 to 4 is usual, up to 32 for language models. */
  readonly rank?: number;
  /**
   * A matrix is compressed only if that saves this factor: rows · columns > minimumRate · r (rows + columns). Default
   * 2.
   */
  readonly minimumRate?: number;
  /** The first step that compresses. Those before it average uncompressed. Default 0; 10 % of the steps is usual. */
  readonly startStep?: number;
}

/**
 * PowerSGD: low-rank approximation of each weight matrix by one step of power iteration from where the last step ended,
 * with error feedback. It is linear in the gradients, so that messages are summed.
 *
 * ```text
 * Mᵢ = gᵢ + (γ₋/γ) eᵢ                       gᵢ: rank i's gradient of a matrix; eᵢ: its error
 *                                           γ₋: the learning rate of the step before
 * P ← orthonormal columns of (1/n) Σ Mᵢ Q    all-reduce
 * Qᵢ = Mᵢᵀ P;  Q ← (1/n) Σ Qᵢ                all-reduce; kept for the next step
 * eᵢ ← Mᵢ − P Qᵢᵀ
 * g ← P Qᵀ                                   x ← x − γ g
 * ```
 *
 * Biases and small matrices are averaged uncompressed in the first all-reduce. Convolution kernels are matrices with a
 * column for each output channel.
 *
 * Q grows with the gradient, so that Mᵢ Q would be of the order of its square. Therefore each column of Q is multiplied
 * by a power of two before it is used, and P while Qᵢ is made. That changes neither the columns of P nor P Qᵀ, and
 * keeps all that is sent below the largest gradient.
 *
 * - Compressor: none; it has its own.
 * - Memory: one vector a rank, and Q. Messages per step: two all-reduces, r (rows + columns) floats a matrix in all.
 * - Step size: that of SGD with momentum (which the inner optimizer applies).
 * - Source: Vogels, Karimireddy, Jaggi, arXiv:1905.13727.
 * - Choose it for models with large matrices and many ranks: the bytes of an all-reduce do not grow with n.
 *
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { context, powerSgd, workspace } from "@gradwire/tfjs/optimizers";
 * import { runTogether } from "@gradwire/tfjs/transport";
 * const method = powerSgd({ rank: 1, minimumRate: 1 });
 * const gradient = Float32Array.from({ length: 12 }, (_, i) => (1 + i % 3) * (1 + Math.floor(i / 3))); // of rank 1
 * const given = gradient.slice(), layout = { names: ["w"], shapes: [[4, 3]], size: 12 }, state = method.init(layout);
 * const now = context({ seed: 1, step: 0, rank: 0, size: 1, layout, workspace: workspace() });
 * runTogether([method.reduce(gradient, state, now)]);
 * console.assert(gradient.every((v, i) => Math.abs(v - given[i]!) < 1e-4));
 * ```
 */
export function powerSgd(
  options: PowerSgdOptions = {},
): Method<PowerSgdState> {
  checkOptions("make powerSgd", options, ["rank", "minimumRate", "startStep"]);
  const { rank: r = 2, minimumRate = 2, startStep = 0 } = options;
  checkInteger("make powerSgd", "rank", r, 1);
  checkNumber("make powerSgd", "minimumRate", minimumRate, { above: 0 });
  checkInteger("make powerSgd", "startStep", startStep, 0);
  const isCompressed = ({ rows, columns }: MatrixPart) => rows * columns > minimumRate * r * (rows + columns);
  /**
   * Where each matrix stands in the vectors of the two all-reduces: its P, or itself if it is not compressed, from
   * `first` on in that of the first, and its Q from `second` on in that of the second; and the lengths of the two.
   */
  const planOf = (layout: Layout) => {
    let first = 0, second = 0;
    const plan = matricesOf(layout).map((part) => {
      const compressed = isCompressed(part), at = { part, compressed, first, second };
      first += compressed ? r * part.rows : part.rows * part.columns;
      second += compressed ? r * part.columns : 0;
      return at;
    });
    return { plan, first, second };
  };
  const slice = (vector: Float32Array, from: number, length: number) => vector.subarray(from, from + length);
  /** Where Q begins, which must be equal on all ranks: drawn from an arbitrary constant, for `init` is told no seed. */
  const start = keyFor(key(0x9d), "start");

  return {
    name: "powerSgd",
    sampled: true,
    options: { rank: r, minimumRate, startStep },
    init(layout) {
      const { plan, second: size } = planOf(layout), q = new Float32Array(size);
      plan.forEach(({ part: { columns }, compressed, second }, i) => {
        if (compressed) gaussian(fold(start, i), r, columns, slice(q, second, r * columns));
      });
      return {
        local: { error: new Float32Array(layout.size) },
        shared: { q, rate: new Float64Array(1) },
      };
    },
    *reduce(gradient, { local: { error }, shared: { q, rate } }, context) {
      const { step, size, shared, layout, workspace, learningRate } = context;
      if (step < startStep) {
        yield* reduceMean("powerSgd", "the mean", gradient, size);
        return;
      }
      addScaled(gradient, rateRatio(rate, learningRate), error);
      const { plan, first: firstSize, second: secondSize } = planOf(layout);
      const first = workspace.floats("first", firstSize), second = workspace.floats("second", secondSize);
      for (const { part, compressed, first: at, second: atQ } of plan) {
        const { from, rows, columns } = part;
        if (!compressed) {
          first.set(slice(gradient, from, rows * columns), at);
          continue;
        }
        const columnsOfQ = workspace.floats("columns of Q", r * columns);
        for (let c = 0; c < r; c++) {
          copyBelowOne(slice(q, atQ + c * columns, columns), slice(columnsOfQ, c * columns, columns));
        }
        multiply(gradient, part, columnsOfQ, r, slice(first, at, r * rows));
      }
      yield* reduceMean("powerSgd", "the mean of the first round", first, size);
      for (const { part, compressed, first: at, second: atQ } of plan) {
        const { from, rows, columns } = part;
        if (!compressed) {
          gradient.fill(0, from, from + rows * columns);
          continue;
        }
        const p = slice(first, at, r * rows), own = slice(second, atQ, r * columns);
        orthonormalise(p, r, rows);
        // For a p of length 1, |Mᵀ p| ≤ √rows · max |M|: scaled by 1/√rows or less it does not exceed M.
        scale(p, inverseRoot(rows));
        multiplyTransposed(gradient, part, p, r, own);
        addProduct(p, own, r, -1 / inverseRoot(rows) ** 2, gradient, part);
      }
      // The gradient is now what this rank would keep. Where that is not finite, NaN tells all ranks.
      if (!allFinite(gradient)) second.fill(NaN);
      yield* reduceMean("powerSgd", "the mean of the second round", second, size);

      const estimate = workspace.floats("estimate", gradient.length).fill(0);
      for (const { part, compressed, first: at, second: atQ } of plan) {
        const { from, rows, columns } = part;
        if (!compressed) estimate.set(slice(first, at, rows * columns), from);
        else {
          const mean = slice(second, atQ, r * columns);
          addProduct(slice(first, at, r * rows), mean, r, 1 / inverseRoot(rows) ** 2, estimate, part);
        }
      }
      requireFinite("powerSgd", "the estimate", estimate);

      if (!isStill(learningRate)) error.set(gradient), rate[0] = learningRate ?? 1;
      gradient.set(estimate);
      plan.forEach(({ part: { columns }, compressed, second: atQ }, i) => {
        if (!compressed) return;
        const next = slice(q, atQ, r * columns);
        next.set(slice(second, atQ, r * columns));
        // A column that has become zero, as after a gradient of zeros or of lower rank, would stay zero. It is drawn
        // anew, on all ranks alike.
        for (let c = 0; c < r; c++) {
          const column = slice(next, c * columns, columns);
          if (column.every((v) => v === 0)) gaussian(fold(fold(shared, i), c), 1, columns, column);
        }
      });
    },
  };
}

/** The largest power of two that is at most 1/√n. */
function inverseRoot(n: number): number {
  return powerOfTwo(1 / Math.sqrt(n));
}

/**
 * into := vector times the power of two that brings the sum of its magnitudes to at most 1, so that |M · into| ≤ max
 * |M|.
 */
function copyBelowOne(vector: Float32Array, into: Float32Array): void {
  const factor = 1 / (2 * powerOfTwo(sumOfMagnitudes(vector)));
  for (let i = 0; i < into.length; i++) into[i] = factor * vector[i]!;
}
