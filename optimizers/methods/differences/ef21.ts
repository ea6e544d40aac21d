import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { fold } from "../../../random.ts";
import { checkBoolean, checkOptions } from "../../../options.ts";
import { requireContractive } from "../../../compressors/check.ts";
import { allFinite, compressFinite, gatherFinite, requireFinite } from "../parts/finite.ts";
import { addOwn, encode, gatherMean } from "../parts/mean.ts";
import type { Method, State } from "../method.ts";
import { squaredDistance } from "../../../compressors/kernels/sums.ts";
import { subtract } from "../parts/vector.ts";

/** Options of {@linkcode ef21}. */
export interface Ef21Options {
  /** EF21+: also compresses the gradient itself and sends what comes closer. Default false. */
  readonly plus?: boolean;
}

/**
 * EF21: every rank keeps an estimate of its gradient, known to all, and sends the compressed difference to it.
 *
 * ```text
 * send cᵢ = C(∇fᵢ(x) − gᵢ)   ∇fᵢ(x): the gradient of rank i of n; gᵢ: its estimate
 * gᵢ ← gᵢ + cᵢ
 * g ← g + (1/n) Σ cᵢ         x ← x − γ g
 * plus: gᵢ ← C(∇fᵢ(x)) where that is closer to ∇fᵢ(x) than gᵢ + cᵢ; one more byte says which
 * ```
 *
 * - Compressor: contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α < 1.
 * - Memory: two vectors a rank; with `plus`, n vectors (all ranks' estimates). Messages per step: one all-gather.
 * - Step size, for f of smoothness L and convexity μ, and fᵢ whose smoothness has the root mean square L̄: γ ≤ min(1 /
 *   (L + L̄ √(2 β/θ)), θ / (2 μ)), θ = 1 − √α, β = α / θ; for μ = 0 γ ≤ 1 / (L + L̄ √(β/θ)). Converges to the exact
 *   optimum with full gradients, which `errorFeedback` does not; in practice larger steps work.
 * - Why: with G = (1/n) Σ ‖gᵢ − ∇fᵢ(x)‖², a step gives E G ← (1 − θ) G + β L̄² ‖γ g‖² at most, and the next f(x) is at
 *   most f(x) − (γ/2) ‖∇f(x)‖² − (1/(2 γ) − L/2) ‖γ g‖² + (γ/2) G. So f(x) − f(x*) + (γ/θ) G falls by 1 − γ μ in the
 *   mean, if 2 γ² β L̄² / θ + γ L ≤ 1 (the first bound) and θ/2 ≥ γ μ (the second). For μ = 0, half of G's part is not
 *   needed, which spares the 2. With `plus` gᵢ comes at least as close in each step, so this holds as well.
 * - Source: Richtárik, Sokolov, Fatkhullin, arXiv:2106.05203.
 * - Choose it for full or nearly full gradients and contractive compressors. The noise of small batches is compressed
 *   into the estimates: prefer `errorFeedback` there.
 *
 * @throws {TypeError} if the compressor is not contractive
 *
 * @example
 * ```ts
 * import { ef21, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * console.assert(minimise(problem, ef21(identity()), { rounds: 100, error: 1e-6 }).reached);
 * ```
 */
export function ef21(compressor: ContractiveCompressor, options: Ef21Options = {}): Method {
  requireContractive("make ef21", compressor);
  const { plus = false } = checkOptions("make ef21", options, ["plus"]);
  checkBoolean("make ef21", "plus", plus);
  return {
    name: "ef21",
    options: { compressor, plus },
    stepSize({ size, smoothness, meanSquareSmoothness, convexity }) {
      const root = Math.sqrt(compressor.alpha(size)), theta = 1 - root, beta = root * root / theta;
      const lag = meanSquareSmoothness * Math.sqrt((convexity > 0 ? 2 : 1) * beta / theta);
      return Math.min(1 / (smoothness + lag), theta / (2 * convexity));
    },
    init: ({ size }, ranks = 1) => plus ? plusState(size, ranks) : plainState(size),
    reduce: (plus ? reducePlus : reducePlain)(compressor),
  };
}

const plainState = (size: number): State => ({
  local: { estimate: new Float32Array(size) },
  shared: { meanEstimate: new Float32Array(size) },
});

const reducePlain = (compressor: ContractiveCompressor): Method["reduce"] =>
  function* (gradient, { local, shared }, context) {
    const estimate = local.estimate as Float32Array, meanEstimate = shared.meanEstimate as Float32Array;
    const next = context.workspace.floats("next estimate", gradient.length);
    subtract(gradient, estimate);
    next.set(estimate);
    const message = addOwn(encode(compressor, gradient, context), context.rank, 1, next);
    yield* gatherMean("ef21", message, context, gradient, { base: meanEstimate });
    requireFinite("ef21", "the estimate", gradient);
    meanEstimate.set(gradient);
    estimate.set(next);
  };

/** All ranks' estimates, one after the other: whoever replaces a rank's estimate must know the old one. */
const plusState = (size: number, ranks: number): State => ({
  local: {},
  shared: { estimates: new Float32Array(size * ranks) },
});

const reducePlus = (compressor: ContractiveCompressor): Method["reduce"] =>
  function* (gradient, { shared }, { rank, size, keyOf, workspace }) {
    const d = gradient.length, estimates = shared.estimates as Float32Array, most = 1 + compressor.maxByteLength(d);
    if (estimates.length !== size * d) {
      throw new RangeError(
        `Cannot take a step of ef21 on ${size} ranks: the state holds ${estimates.length / d} estimates`,
      );
    }
    const estimateOf = (r: number) => estimates.subarray(r * d, (r + 1) * d);
    /**
     * Compresses the difference to the estimate (whole = 0) or the gradient itself (whole = 1): the message, after a
     * byte that says which, and the squared distance from the gradient to the estimate that it leads to.
     */
    const attempt = (whole: number) => {
      const buffer = workspace.bytes(`message ${whole}`, most), near = workspace.floats(`attempt ${whole}`, d);
      near.set(gradient);
      if (whole === 0) subtract(near, estimateOf(rank));
      buffer[0] = whole;
      const message = compressFinite(compressor, near, fold(keyOf(rank), whole), buffer.subarray(1));
      if (message === undefined) return { message, distance: Infinity };
      near.fill(0);
      if (whole === 0) near.set(estimateOf(rank));
      compressor.decodeAdd(message, fold(keyOf(rank), whole), 1, near);
      if (!allFinite(near)) return { message: undefined, distance: Infinity };
      return { message: buffer.subarray(0, 1 + message.length), distance: squaredDistance(near, gradient) };
    };
    const difference = attempt(0), itself = attempt(1);
    const best = itself.distance < difference.distance ? itself : difference;
    const messages = yield* gatherFinite("ef21", best.message, most, workspace);
    messages.forEach((message, r) => {
      const whole = message[0];
      if (whole !== 0 && whole !== 1) throw new RangeError(`Cannot read rank ${r}'s message: it starts with ${whole}`);
      // Decoded once in vain, so that a message that is refused leaves all estimates as they were.
      compressor.decodeAdd(message.subarray(1), fold(keyOf(r), whole), 0, gradient);
    });
    gradient.fill(0);
    messages.forEach((message, r) => {
      const whole = message[0]!, estimate = estimateOf(r);
      if (whole === 1) estimate.fill(0);
      compressor.decodeAdd(message.subarray(1), fold(keyOf(r), whole), 1, estimate);
      for (let j = 0; j < d; j++) gradient[j]! += estimate[j]! / size;
    });
  };
