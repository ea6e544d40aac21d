import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import { identity } from "../../../compressors/identity.ts";
import { gradientAt } from "../../../transport/round.ts";
import { checkChoice, checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { requireParameters, requireRate } from "../parts/require_context.ts";
import { requireUnbiased } from "../../../compressors/check.ts";
import { requireFinite } from "../parts/finite.ts";
import { addOwn, encode, gatherMean, silent } from "../parts/mean.ts";
import { sampleRanks, sampleSize, samplingVariance } from "../parts/sampling.ts";
import type { Method } from "../method.ts";

/** State of {@linkcode scaffold}. */
export type ScaffoldState = {
  /** The rank's control variate cᵢ, which tends to its gradient at the optimum. */
  readonly local: { readonly control: Float32Array };
  /**
   * `meanControl`: c, the mean of all ranks' cᵢ; `anchor`: x, where the round began; `travelled`: the sum of the
   * round's learning rates so far; `started`: whether there is an anchor (1) or not (0).
   */
  readonly shared: {
    readonly meanControl: Float32Array;
    readonly anchor: Float32Array;
    readonly travelled: Float64Array;
    readonly started: Float32Array;
  };
};

/** Options of {@linkcode scaffold}. */
export interface ScaffoldOptions {
  /** K: local steps in a round. */
  readonly localSteps: number;
  /**
   * The new cᵢ: the gradient at x ("I"; one more evaluation a round), or the mean gradient on the rank's way ("II",
   * default).
   */
  readonly option?: "I" | "II";
  /** The share of the ranks that take part in a round, at least one. Default 1. */
  readonly fraction?: number;
  /** η: how much of the mean movement the server takes over. Default 1. */
  readonly globalRate?: number;
  /** Compresses both messages. Default `identity()`. */
  readonly compressor?: UnbiasedCompressor;
}

/**
 * SCAFFOLD: local steps that are corrected by how a rank's gradient differs from the mean gradient, so that ranks with
 * different data do not drift apart. It owns the update: the inner optimizer only gives the learning rate.
 *
 * ```text
 * yᵢ ← yᵢ − γ (gᵢ − cᵢ + c)          K times, from yᵢ = x, for the ranks i in S, sampled by key
 *                                    gᵢ: the gradient of rank i at yᵢ; cᵢ: its control variate; c: the mean of all
 * tᵢ = ∇fᵢ(x) (option I), or cᵢ − c + (x − yᵢ) / (K γ) (II);       send C(yᵢ − x) and C(tᵢ − cᵢ)
 * x ← x + (η/|S|) Σ C(yᵢ − x);   cᵢ ← cᵢ + C(tᵢ − cᵢ) / (1 + ω)
 * c ← c + (1/n) Σ C(tᵢ − cᵢ) / (1 + ω)                             sums over S
 * ```
 *
 * - Compressor: unbiased, E‖C(x) − x‖² ≤ ω ‖x‖². Without one ω = 0, and cᵢ becomes tᵢ.
 * - Memory: three vectors a rank. Messages: two all-gathers every K steps, twice the bytes of `fedAvg`.
 * - Step size, for f of convexity μ and fᵢ of smoothness at most Lmax: γ ≤ min(1 / (81 Lmax K max(1, η v)), |S| / (15 μ
 *   n (1 + ω) K η)), v = max(1, (ω + q) / |S|), q = (n − |S|) / (n − 1). Without compression and for η ≥ 1 that is the
 *   source's theorem: 1 / (81 Lmax K η) and |S| / (15 μ n K η). Hundreds of times as much works on well-conditioned
 *   problems. Converges to the exact optimum with full gradients.
 * - Why cᵢ moves by 1 / (1 + ω): E‖cᵢ + a C(Δ) − tᵢ‖² ≤ ((1 − a)² + a² ω) ‖Δ‖², Δ = tᵢ − cᵢ, which is least, and ω / (1
 *   + ω) times ‖Δ‖², at a = 1 / (1 + ω); at a = 1 it is ω ‖Δ‖², and the cᵢ run away for ω > 1 at any step size.
 * - Why the step size, for convex fᵢ: let x* be the optimum, γ' = K γ η, r = ‖x − x*‖², σ = (1/n) Σ ‖cᵢ − ∇fᵢ(x*)‖², D
 *   = f(x) − f(x*), uᵢ = ∇fᵢ(x) − cᵢ + c, U = (1/n) Σ ‖uᵢ‖² ≤ 4 Lmax D + 2 σ. Gradient steps do not take points apart,
 *   so after k steps ‖yᵢ − x‖ ≤ k γ ‖uᵢ‖, and vᵢ = (x − yᵢ) / (K γ) has ‖vᵢ − uᵢ‖ ≤ ρ ‖uᵢ‖, ρ = Lmax γ (K − 1) / 2. The
 *   next r is at most (1 − γ' μ / 2) r − γ' (1 − 4 γ' L) D + W U in the mean, with W = γ' Lmax (K γ)² / 3 + γ'² (2 ρ² +
 *   (1 + ρ)² (ω + q) / |S|), and the next σ at most (1 − a) σ + a (4 Lmax D (1 + 2 ρ²) + 4 ρ² σ), a = |S| / (n (1 +
 *   ω)). The bound makes ρ ≤ 1/162 and 27 W Lmax ≤ .4 γ', so that r + (16 W / (3 a)) σ falls by max(1 − γ' μ / 2, 1 − a
 *   / 2) in the mean, and the second part of the bound makes the first of these the larger.
 * - Source: Karimireddy, Kale, Mohri, Reddi, Stich, Suresh, arXiv:1910.06378; with compression as derived here.
 * - Choose it instead of `fedAvg` or `localSgd` when the ranks' data differ.
 *
 * @throws {RangeError} if an option is out of range
 * @throws {TypeError} if the compressor is not unbiased
 *
 * @example
 * ```ts
 * import { minimise, quadratic, scaffold } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = scaffold({ localSteps: 5 });
 * console.assert(minimise(problem, method, { rounds: 500, step: .1, error: 1e-6 }).reached);
 * ```
 */
export function scaffold(options: ScaffoldOptions): Method<ScaffoldState> {
  const known = ["localSteps", "option", "fraction", "globalRate", "compressor"];
  const { localSteps, option = "II", fraction = 1, globalRate = 1, compressor = identity() } = checkOptions(
    "make scaffold",
    options,
    known,
  );
  checkInteger("make scaffold", "localSteps", localSteps, 1);
  checkNumber("make scaffold", "fraction", fraction, { above: 0, most: 1 });
  checkNumber("make scaffold", "globalRate", globalRate, { above: 0 });
  requireUnbiased("make scaffold", compressor);
  checkChoice("make scaffold", "option", option, ["I", "II"]);
  return {
    name: "scaffold",
    asksGradients: option === "I",
    options: { localSteps, option, fraction, globalRate, compressor },
    yields: "parameters",
    every: localSteps,
    stepSize({ size, ranks, largestSmoothness, convexity }) {
      const omega = compressor.omega(size), taking = sampleSize(fraction, ranks);
      const noise = Math.max(1, (omega + samplingVariance(taking, ranks)) / taking);
      return Math.min(
        1 / (81 * largestSmoothness * localSteps * Math.max(1, globalRate * noise)),
        taking / (15 * convexity * ranks * (1 + omega) * localSteps * globalRate),
      );
    },
    init: ({ size }) => ({
      local: { control: new Float32Array(size) },
      shared: {
        meanControl: new Float32Array(size),
        anchor: new Float32Array(size),
        travelled: new Float64Array(1),
        started: new Float32Array(1),
      },
    }),
    *reduce(gradient, { local: { control }, shared: { meanControl, anchor, travelled, started } }, context) {
      const { rank, size, step, workspace } = context, d = gradient.length;
      const y = requireParameters("scaffold", context), rate = requireRate("scaffold", context);
      const first = started[0] === 0, x = first ? y : anchor, members = sampleRanks(fraction, localSteps, context);
      const takesPart = members.includes(rank), steps = takesPart ? rate : 0, length = travelled[0]! + rate;
      for (let j = 0; j < d; j++) gradient[j] = y[j]! - steps * (gradient[j]! - control[j]! + meanControl[j]!);

      if ((step + 1) % localSteps !== 0) {
        requireFinite("scaffold", "the rank's point", gradient);
        if (first) anchor.set(y), started[0] = 1;
        travelled[0] = length;
        return;
      }
      const moved = workspace.floats("moved", d), turned = workspace.floats("turned", d);
      if (option === "I") yield* gradientAt(x, turned);
      for (let j = 0; j < d; j++) {
        moved[j] = x[j]! - gradient[j]!;
        if (option === "I") turned[j]! -= control[j]!;
        else turned[j] = length === 0 ? 0 : moved[j]! / length - meanControl[j]!;
      }
      const mean = workspace.floats("mean", d), meanTurn = workspace.floats("mean turn", d);
      const nextControl = workspace.floats("next control", d);
      nextControl.set(control);
      const share = 1 / (1 + compressor.omega(d)); // of a noisy message: with all of it the noise would add up
      const movement = takesPart ? encode(compressor, moved, context, 0) : silent(compressor, d, context, 0);
      const turn = takesPart
        ? addOwn(encode(compressor, turned, context, 1), rank, share, nextControl)
        : silent(compressor, d, context, 1);
      // Where the second message cannot be sent, the step is refused with the first.
      const either = turn.bytes ? movement : turn;
      yield* gatherMean("scaffold", either, context, mean, { of: members });
      yield* gatherMean("scaffold", turn, context, meanTurn, { of: members, factor: 1 / size });

      for (let j = 0; j < d; j++) {
        meanTurn[j] = meanControl[j]! + share * meanTurn[j]!; // the next mean control
        gradient[j] = x[j]! - globalRate * mean[j]!;
      }
      requireFinite("scaffold", "the mean control", meanTurn);
      requireFinite("scaffold", "the point", gradient);
      control.set(nextControl), meanControl.set(meanTurn);
      anchor.set(gradient);
      travelled[0] = 0, started[0] = 1;
    },
  };
}
