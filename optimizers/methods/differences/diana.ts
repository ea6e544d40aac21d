import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import { checkNumber, checkOptions } from "../../../options.ts";
import { requireUnbiased } from "../../../compressors/check.ts";
import { allFinite, compressFinite, gatherFinite, requireFinite } from "../parts/finite.ts";
import type { Context, Exchange, Method } from "../method.ts";
import { add, subtract } from "../parts/vector.ts";

/** State of {@linkcode diana}. */
export type DianaState = {
  /** hᵢ, which tends to the rank's gradient at the optimum. */
  readonly local: { readonly shift: Float32Array };
  /** h, the mean of the ranks' shifts. */
  readonly shared: { readonly meanShift: Float32Array };
};

/** Options of {@linkcode diana}. */
export interface DianaOptions {
  /** α, how far a shift moves per step. Default 1/(1 + ω); beyond 2/(1 + ω) the shifts diverge. */
  readonly shiftStep?: number;
}

/**
 * DIANA: compresses the difference between the gradient and a shift that learns it, so that what is compressed, and
 * with it the compression error, tends to zero.
 *
 * ```text
 * send mᵢ = C(gᵢ − hᵢ)
 * g ← h + (1/n) Σ mᵢ         x ← prox(x − γ g)
 * hᵢ ← hᵢ + α mᵢ
 * h ← h + (α/n) Σ mᵢ
 * ```
 *
 * - Compressor: unbiased (a biased one through `induced`).
 * - Memory: two vectors a rank. Messages per step: one all-gather.
 * - Step size: γ ≤ 1 / (L + 6 ω Lmax / n) for α ≤ 1/(1 + ω), less beyond, none from 2/(1 + ω) on. Converges linearly to the optimum with full gradients, however
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
      yield* dianaRound("diana", gradient, shift, meanShift, alpha, compressor, context);
    },
  };
}

/**
 * b/a where a step turns σ = (1/n) Σ ‖hᵢ − ∇fᵢ(x*)‖² into (1 − a) σ + b (1/n) Σ ‖gᵢ − ∇fᵢ(x*)‖² at most: 1 for shift steps
 * up to 1/(1 + ω), where a = b = α. Beyond, with c = α (1 + ω): E‖h + α C(g − h) − g*‖² = (1 − α) ‖h − g*‖² +
 * α ‖g − g*‖² + α (c − 1) ‖g − h‖², of which the last is split so that a = α (1 − c/2) and
 * b = α (1 + c (c − 1) / (2 − c)). From c = 2 on nothing holds: NaN.
 */
export function shiftCost(shiftStep: number, omega: number): number {
  const c = shiftStep * (1 + omega);
  if (c <= 1 + 1e-12) return 1;
  return c < 2 ? (1 + c * (c - 1) / (2 - c)) / (1 - c / 2) : NaN;
}

/** The exchange of DIANA; writes the shifts after it. */
export function* dianaRound(
  method: string,
  gradient: Float32Array,
  shift: Float32Array,
  meanShift: Float32Array,
  shiftStep: number,
  compressor: UnbiasedCompressor,
  { rank, size, keyOf, workspace, participation = 1 }: Context,
): Exchange {
  subtract(gradient, shift);
  const most = compressor.maxByteLength(gradient.length), buffer = workspace.bytes("message", most);
  const message = compressFinite(compressor, gradient, keyOf(rank), buffer);
  const nextShift = workspace.floats("next shift", gradient.length);
  nextShift.set(shift);
  if (message) compressor.decodeAdd(message, keyOf(rank), shiftStep, nextShift);
  const messages = yield* gatherFinite(method, allFinite(nextShift) ? message : undefined, most, workspace);
  const mean = workspace.floats("mean", gradient.length).fill(0);
  messages.forEach((message, r) => compressor.decodeAdd(message, keyOf(r), 1 / size, mean));
  gradient.set(meanShift);
  add(gradient, mean);
  requireFinite(method, "the estimate", gradient);
  // meanShift is the mean over all ranks: those that do not take part keep their shifts.
  const moves = shiftStep * participation;
  for (let j = 0; j < mean.length; j++) mean[j] = meanShift[j]! + moves * mean[j]!;
  requireFinite(method, "the mean shift", mean);
  meanShift.set(mean);
  shift.set(nextShift);
}
