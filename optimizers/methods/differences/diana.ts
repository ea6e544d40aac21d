import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import { checkNumber, checkOptions } from "../../../options.ts";
import { requireUnbiased } from "../../../compressors/check.ts";
import type { Method } from "../method.ts";
import { shiftCost, shiftedMean } from "./shifted_mean.ts";

/** State of {@linkcode diana}. */
export type DianaState = {
  /** The rank's shift hᵢ, which tends to its gradient at the optimum. */
  readonly local: { readonly shift: Float32Array };
  /** The mean h of the ranks' shifts. */
  readonly shared: { readonly meanShift: Float32Array };
};

/** Options of {@linkcode diana}. */
export interface DianaOptions {
  /**
   * α, the share of its message by which a shift moves in a step. Default 1/(1 + ω), ω that of the compressor; beyond
   * 2/(1 + ω) the shifts diverge.
   */
  readonly shiftStep?: number;
}

/**
 * DIANA: compresses the difference between a rank's gradient and a shift that learns it, so that what is compressed,
 * and with it the compression error, tends to zero.
 *
 * ```text
 * send mᵢ = C(gᵢ − hᵢ)       gᵢ: the gradient of rank i of n; hᵢ: its shift
 * g ← h + (1/n) Σ mᵢ         x ← prox(x − γ g)
 * hᵢ ← hᵢ + α mᵢ
 * h ← h + (α/n) Σ mᵢ         h: the mean of the shifts
 * ```
 *
 * - Compressor: unbiased, E‖C(x) − x‖² ≤ ω ‖x‖² (a biased one through `induced`).
 * - Memory: two vectors a rank. Messages per step: one all-gather.
 * - Step size, for f of smoothness L and fᵢ of smoothness at most Lmax: γ ≤ 1 / (L + 6 ω Lmax / n) for α ≤ 1/(1 + ω);
 *   less for a larger α, and none from 2/(1 + ω) on. Converges linearly to the optimum with full gradients, however
 *   different the ranks' data; with stochastic gradients to the noise floor of SGD (`vrDiana` removes it).
 * - Source: Mishchenko, Gorbunov, Takáč, Richtárik, arXiv:1901.09269; Horváth et al., arXiv:1904.05115.
 * - Choose it for convex problems and unbiased compressors, where the ranks' data differ.
 *
 * @throws {TypeError} if the compressor is not unbiased
 * @throws {RangeError} if the shift step is not positive
 *
 * @example
 * ```ts
 * import { diana, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * console.assert(minimise(problem, diana(identity()), { rounds: 100, error: 1e-6 }).reached);
 * ```
 */
export function diana(compressor: UnbiasedCompressor, options: DianaOptions = {}): Method<DianaState> {
  requireUnbiased("make diana", compressor);
  const { shiftStep } = checkOptions("make diana", options, ["shiftStep"]);
  if (shiftStep !== undefined) checkNumber("make diana", "shiftStep", shiftStep, { above: 0 });
  return {
    name: "diana",
    sampled: true,
    options: { compressor, ...shiftStep === undefined ? {} : { shiftStep } },
    stepSize({ size, ranks, smoothness, largestSmoothness }) {
      const omega = compressor.omega(size), cost = shiftStep === undefined ? 1 : shiftCost(shiftStep, omega);
      return 1 / (smoothness + (2 + 4 * cost) * omega * largestSmoothness / ranks);
    },
    init: ({ size }) => ({
      local: { shift: new Float32Array(size) },
      shared: { meanShift: new Float32Array(size) },
    }),
    *reduce(gradient, { local: { shift }, shared: { meanShift } }, context) {
      const alpha = shiftStep ?? 1 / (1 + compressor.omega(gradient.length));
      yield* shiftedMean("diana", compressor, gradient, { shift, meanShift, shiftStep: alpha }, context);
    },
  };
}
