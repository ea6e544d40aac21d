import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import { fold } from "../../../random.ts";
import { gradientAt } from "../../../transport/round.ts";
import { checkChoice, checkNumber, checkOptions } from "../../../options.ts";
import { requireParameters, requireRate } from "../parts/require_context.ts";
import { requireUnbiased } from "../../../compressors/check.ts";
import { requireFinite } from "../parts/finite.ts";
import { addOwn, encode, gatherMean } from "../parts/mean.ts";
import { bernoulli } from "../parts/random_choice.ts";
import type { Method } from "../method.ts";
import { add, subtract } from "../parts/vector.ts";

/** State of {@linkcode adiana}. */
export type AdianaState = {
  /** The rank's shift hᵢ, which tends to its gradient at the optimum. */
  readonly local: { readonly shift: Float32Array };
  /** The points y, z and w, the mean shift h, and whether there was a step before (1) or not (0). */
  readonly shared: {
    readonly y: Float32Array;
    readonly z: Float32Array;
    readonly w: Float32Array;
    /** What rounding x, y, z and w to float32 has cut off: a step η g is often smaller than half of their last bit. */
    readonly xRest: Float32Array;
    readonly yRest: Float32Array;
    readonly zRest: Float32Array;
    readonly wRest: Float32Array;
    readonly meanShift: Float32Array;
    readonly started: Float32Array;
  };
};

/** Options of {@linkcode adiana}. */
export interface AdianaOptions {
  /** μ, the strong convexity of f, which acceleration has to know. For a loss with the term (λ/2)‖x‖² take λ. */
  readonly convexity: number;
  /** L, the largest smoothness of an fᵢ. Only the parameter set "B" needs it. */
  readonly smoothness?: number;
  /**
   * "A" (default): the parameters of the paper. "B": those of a later analysis, whose step size is tiny: multiply it.
   */
  readonly parameters?: "A" | "B";
}

/**
 * ADIANA: accelerated DIANA, which needs the square root of the condition number in rounds. It owns the update.
 *
 * ```text
 * x = θ₁ z + θ₂ w + (1 − θ₁ − θ₂) y
 * send mᵢ = C(∇fᵢ(x) − hᵢ) and cᵢ = C(∇fᵢ(w) − hᵢ)            hᵢ: the shift of rank i of n
 * g = h + (1/n) Σ mᵢ;   hᵢ ← hᵢ + α cᵢ;   h ← h + (α/n) Σ cᵢ   h: the mean shift
 * y₊ = x − η g;   z ← β z + (1 − β) x + (γ/η)(y₊ − x)           η: the learning rate
 * w ← y with probability p, on all ranks together;   y ← y₊
 * ```
 *
 * The model's parameters are x, where the step's gradient is taken. α = 1/(1 + ω); p, θ₁, θ₂, γ and β follow from η and
 * the options.
 *
 * - Compressor: unbiased, E‖C(x) − x‖² ≤ ω ‖x‖² (a biased one through `induced`).
 * - Memory: nine vectors. Messages per step: two all-gathers. A step takes a second gradient, at w.
 * - Step size, for fᵢ of smoothness at most L: "A": η ≤ min(1/(2L), n / (64 ω (2 p (ω + 1) + 1)² L)); "B": η ≤ 1 / (120
 *   L (3 ω/√n + 3)), of which multiples up to 100 converge in practice. None (NaN) where f is not as convex as
 *   `convexity` says.
 * - Source: Li, Kovalev, Qian, Richtárik, arXiv:2002.11364.
 * - Choose it for ill-conditioned strongly convex problems: at condition numbers in the thousands it takes a small
 *   fraction of the rounds of `diana`, near 10 it takes more.
 *
 * @throws {TypeError} if the compressor is not unbiased
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { adiana, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = adiana(identity(), { convexity: problem.constants.convexity });
 * console.assert(minimise(problem, method, { rounds: 300, error: 1e-6 }).reached);
 * ```
 */
export function adiana(
  compressor: UnbiasedCompressor,
  options: AdianaOptions,
): Method<AdianaState> {
  requireUnbiased("make adiana", compressor);
  const known = ["convexity", "smoothness", "parameters"];
  const { convexity, smoothness, parameters: set = "A" } = checkOptions("make adiana", options, known);
  checkNumber("make adiana", "convexity", convexity, { above: 0 });
  checkChoice("make adiana", "parameters", set, ["A", "B"]);
  if (set === "B") checkNumber("make adiana", "smoothness", smoothness ?? NaN, { least: convexity });
  else if (smoothness !== undefined) checkNumber("make adiana", "smoothness", smoothness, { above: 0 });

  /** p, θ₁, θ₂, γ and β for this η. */
  const weights = (omega: number, n: number, eta: number) => {
    if (set === "B") {
      const theta1 = Math.sqrt(convexity / smoothness!) / 3, theta2 = omega / (3 * Math.sqrt(n) * omega + 3 * n);
      const gamma = eta / (2 * theta1 + eta * convexity);
      return { p: 1 / (1 + omega), theta1, theta2, gamma, beta: 1 - gamma * convexity };
    }
    const p = Math.min(1, Math.max(1, Math.sqrt(n / (32 * omega)) - 1) / (2 * (1 + omega)));
    const theta1 = Math.min(1 / 4, Math.sqrt(eta * convexity / p));
    const gamma = eta / (2 * (theta1 + eta * convexity));
    return { p, theta1, theta2: 1 / 2, gamma, beta: 1 - gamma * convexity };
  };

  return {
    name: "adiana",
    asksGradients: true,
    options: { compressor, convexity, parameters: set, ...smoothness === undefined ? {} : { smoothness } },
    yields: "parameters",
    stepSize({ size, ranks: n, largestSmoothness: L, convexity: mu }) {
      const omega = compressor.omega(size);
      // Nothing is proven where f is less convex, or less smooth, than the method was told.
      if (convexity > mu * (1 + 1e-9) || set === "B" && smoothness! * (1 + 1e-9) < L) return NaN;
      if (set === "B") return 1 / (120 * L * (3 * omega / Math.sqrt(n) + 3));
      const { p } = weights(omega, n, 0);
      return Math.min(1 / (2 * L), n / (64 * omega * (2 * p * (omega + 1) + 1) ** 2 * L));
    },
    init({ size }) {
      const vector = () => new Float32Array(size);
      const points = { y: vector(), z: vector(), w: vector() };
      const rests = { xRest: vector(), yRest: vector(), zRest: vector(), wRest: vector() };
      return {
        local: { shift: vector() },
        shared: { ...points, ...rests, meanShift: vector(), started: new Float32Array(1) },
      };
    },
    *reduce(
      gradient,
      { local: { shift }, shared: { y, z, w, xRest, yRest, zRest, wRest, meanShift, started } },
      context,
    ) {
      const { rank, size, shared, workspace } = context, d = gradient.length, first = started[0] === 0;
      const x = requireParameters("adiana", context), eta = requireRate("adiana", context);
      if (eta === 0) { // the point would move towards w and z even so
        gradient.set(x);
        return;
      }
      const omega = compressor.omega(d), alpha = 1 / (1 + omega);
      const { p, theta1, theta2, gamma, beta } = weights(omega, size, eta);

      const meanX = workspace.floats("mean at x", d), meanW = workspace.floats("mean at w", d);
      const atW = workspace.floats("gradient at w", d), nextShift = workspace.floats("next shift", d);
      yield* gradientAt(first ? x : w, atW);
      subtract(gradient, shift);
      subtract(atW, shift);
      nextShift.set(shift);
      const messageX = encode(compressor, gradient, context, 0);
      const messageW = addOwn(encode(compressor, atW, context, 1), rank, alpha, nextShift);
      // Where the second message cannot be sent, the step is refused with the first.
      const either = messageW.bytes ? messageX : messageW;
      yield* gatherMean("adiana", either, context, meanX);
      yield* gatherMean("adiana", messageW, context, meanW);

      add(meanX, meanShift); // g
      for (let j = 0; j < d; j++) meanW[j] = meanShift[j]! + alpha * meanW[j]!; // the next mean shift
      const moves = bernoulli(fold(shared, 0), p), momentum = gamma / eta;
      const nextY = workspace.doubles("y", d), nextZ = workspace.doubles("z", d), nextX = workspace.doubles("x", d);
      for (let j = 0; j < d; j++) {
        const at = x[j]! + xRest[j]!, z0 = first ? x[j]! : z[j]! + zRest[j]!;
        const w0 = first ? x[j]! : moves ? y[j]! + yRest[j]! : w[j]! + wRest[j]!;
        nextY[j] = at - eta * meanX[j]!;
        nextZ[j] = beta * z0 + (1 - beta) * at + momentum * (nextY[j]! - at);
        nextX[j] = theta1 * nextZ[j]! + theta2 * w0 + (1 - theta1 - theta2) * nextY[j]!;
        gradient[j] = nextX[j]!;
      }
      requireFinite("adiana", "the mean shift", meanW);
      requireFinite("adiana", "the point", gradient);
      requireFinite("adiana", "y", nextY), requireFinite("adiana", "z", nextZ);
      if (first) w.set(x), started[0] = 1;
      else if (moves) w.set(y), wRest.set(yRest);
      shift.set(nextShift), meanShift.set(meanW);
      for (let j = 0; j < d; j++) {
        y[j] = nextY[j]!, yRest[j] = nextY[j]! - y[j]!;
        z[j] = nextZ[j]!, zRest[j] = nextZ[j]! - z[j]!;
        xRest[j] = nextX[j]! - gradient[j]!;
      }
    },
  };
}
