import type { UnbiasedCompressor } from "../compressors/compressor.ts";
import { checkOptions, requireNumber, requireUnbiased } from "./check.ts";
import { allFinite, compressFinite, gatherFinite, requireFinite } from "./finite.ts";
import type { Context, Exchange, Reducer } from "./reducer.ts";
import { add, subtract } from "./vector.ts";

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
 * - Step size: γ ≤ 1 / (L + 6 ω Lmax / n), α = 1/(1 + ω). Converges linearly to the optimum with full gradients, however
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
export function diana(compressor: UnbiasedCompressor, options: DianaOptions = {}): Reducer<DianaState> {
  requireUnbiased("diana", compressor);
  const { shiftStep } = checkOptions("diana", options, ["shiftStep"]);
  if (shiftStep !== undefined) requireNumber("diana", "shiftStep", shiftStep, { above: 0 });
  return {
    name: "diana",
    options: { compressor, ...shiftStep === undefined ? {} : { shiftStep } },
    stepSize: ({ size, ranks, smoothness, largestSmoothness }) =>
      1 / (smoothness + 6 * compressor.omega(size) * largestSmoothness / ranks),
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

/** The exchange of DIANA; writes the shifts after it. */
export function* dianaRound(
  method: string,
  gradient: Float32Array,
  shift: Float32Array,
  meanShift: Float32Array,
  shiftStep: number,
  compressor: UnbiasedCompressor,
  { rank, size, keyOf, workspace }: Context,
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
  for (let j = 0; j < mean.length; j++) mean[j] = meanShift[j]! + shiftStep * mean[j]!;
  requireFinite(method, "the mean shift", mean);
  meanShift.set(mean);
  shift.set(nextShift);
}
