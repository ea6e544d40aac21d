import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import { gradientAt } from "../../../transport/round.ts";
import { checkChoice, checkNumber, checkOptions } from "../../../options.ts";
import { requireParameters } from "../parts/require_context.ts";
import { requireUnbiased } from "../../../compressors/check.ts";
import { requireFinite } from "../parts/finite.ts";
import { encode, gatherMean, reduceMean } from "../parts/mean.ts";
import { bernoulli } from "../parts/random_choice.ts";
import type { Method } from "../method.ts";
import { subtract } from "../parts/vector.ts";

/** State of {@linkcode marina}. */
export type MarinaState = {
  /** Nothing. */
  readonly local: Record<never, Float32Array>;
  /** The estimate g, the parameters of the step before, and whether there was one (1) or not (0). */
  readonly shared: { readonly estimate: Float32Array; readonly previous: Float32Array; readonly started: Float32Array };
};

/** Options of {@linkcode marina}. */
export interface MarinaOptions {
  /** p, the probability of an uncompressed step. Default 1/(1 + ω), which is k/d for rand-k of d numbers. */
  readonly probability?: number;
  /**
   * What an uncompressed step sends: the gradient of its batch (default, and right for full gradients), or that of all
   * data. The latter is VR-MARINA, whose other steps compare two points on one minibatch. Then take p = min(1/(1 + ω),
   * b/(m + b)) for batches of b out of m terms. `DistributedOptimizer` needs its option `dataLoss` for it.
   */
  readonly dense?: "batch" | "all";
}

/**
 * MARINA: sends compressed differences between the gradients at two successive points, and now and then, on all ranks
 * together, the uncompressed gradient.
 *
 * ```text
 * with probability p:  g ← (1/n) Σ ∇fᵢ(x)                          uncompressed; always in the first step
 * else:                g ← g + (1/n) Σ C(∇fᵢ(x) − ∇fᵢ(x₋))         both at one minibatch; x₋: the x of the step before
 * x ← x − γ g
 * ```
 *
 * - Compressor: unbiased, E‖C(x) − x‖² ≤ ω ‖x‖² (a biased one through `induced`).
 * - Memory: two vectors. Messages per step: one all-gather, or with probability p one all-reduce of the whole vector;
 *   a second gradient evaluation in the other steps.
 * - Step size, for f of smoothness L and convexity μ, and fᵢ whose smoothness has the root mean square L̄: γ ≤ min(1 /
 *   (L̄ (1 + √(2 (1 − p) ω / (p n)))), p / (2 μ)); for μ = 0 γ ≤ 1 / (L̄ (1 + √((1 − p) ω / (p n)))). With
 *   `dense: "all"` and batches of one the first bound is 1 / (L + √(2 (1 − p) (ω L̄² + (1 + ω) 𝓛²) / (p n))), 𝓛 the
 *   largest smoothness of a term; with batches of b it has 𝓛²/b in place of 𝓛². Converges to the exact optimum with
 *   full gradients.
 * - Why: with G = ‖g − ∇f(x)‖², a step gives E G ← (1 − p) (G + V ‖γ g‖²) at most, V = ω L̄² / n, or for minibatches (ω
 *   L̄² + (1 + ω) 𝓛²/b) / n. Then, as for `ef21` with p for θ and (1 − p) V for β L̄², f(x) − f(x*) + (γ/p) G falls by
 *   1 − γ μ in the mean.
 * - Source: Gorbunov, Burlachenko, Li, Richtárik, arXiv:2102.07845.
 * - Choose it for full gradients or large batches when a second gradient costs less than the bytes: the fewest rounds
 *   of the methods without acceleration.
 *
 * @throws {TypeError} if the compressor is not unbiased
 * @throws {RangeError} unless 0 < probability ≤ 1
 *
 * @example
 * ```ts
 * import { marina, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const run = minimise(problem, marina(identity(), { probability: .2 }), { rounds: 100, error: 1e-6 });
 * console.assert(run.reached);
 * ```
 */
export function marina(
  compressor: UnbiasedCompressor,
  options: MarinaOptions = {},
): Method<MarinaState> {
  requireUnbiased("make marina", compressor);
  const { probability, dense = "batch" } = checkOptions("make marina", options, ["probability", "dense"]);
  checkChoice("make marina", "dense", dense, ["batch", "all"]);
  if (probability !== undefined) checkNumber("make marina", "probability", probability, { above: 0, most: 1 });
  const chance = (size: number) => probability ?? 1 / (1 + compressor.omega(size));
  return {
    name: "marina",
    asksGradients: true,
    options: { compressor, dense, ...probability === undefined ? {} : { probability } },
    stepSize(constants) {
      const { size, ranks, smoothness, meanSquareSmoothness, largestSmoothness, convexity } = constants;
      const p = chance(size), omega = compressor.omega(size), factor = (convexity > 0 ? 2 : 1) * (1 - p) / (p * ranks);
      const term = constants.largestTermSmoothness ?? (constants.terms ?? 1) * largestSmoothness;
      const inverse = dense === "batch"
        ? meanSquareSmoothness * (1 + Math.sqrt(factor * omega))
        : smoothness + Math.sqrt(factor * (omega * meanSquareSmoothness ** 2 + (1 + omega) * term ** 2));
      return Math.min(1 / inverse, p / (2 * convexity));
    },
    init: ({ size }) => ({
      local: {},
      shared: {
        estimate: new Float32Array(size),
        previous: new Float32Array(size),
        started: new Float32Array(1),
      },
    }),
    *reduce(gradient, { shared: { estimate, previous, started } }, context) {
      const { size, shared, workspace } = context, parameters = requireParameters("marina", context);
      if (started[0] === 0 || bernoulli(shared, chance(gradient.length))) {
        if (dense === "all") yield* gradientAt(parameters, gradient, "all");
        yield* reduceMean("marina", "the estimate", gradient, size);
      } else {
        const before = workspace.floats("before", gradient.length);
        yield* gradientAt(previous, before);
        subtract(gradient, before);
        const message = encode(compressor, gradient, context);
        yield* gatherMean("marina", message, context, gradient, { base: estimate });
        requireFinite("marina", "the estimate", gradient);
      }
      estimate.set(gradient);
      previous.set(parameters);
      started[0] = 1;
    },
  };
}
