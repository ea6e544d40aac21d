import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import { gradientAt } from "../../../transport/round.ts";
import { checkChoice, checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { requireParameters } from "../parts/require_context.ts";
import { requireUnbiased } from "../../../compressors/check.ts";
import { keyFor } from "../keys.ts";
import type { Method, State } from "../method.ts";
import { bernoulli, randomInteger } from "../parts/random_choice.ts";
import { add, subtract } from "../parts/vector.ts";
import { shiftCost, shiftedMean } from "./shifted_mean.ts";

/** Options of {@linkcode vrDiana}. */
export interface VrDianaOptions {
  /** m: the terms that each rank's loss is the mean of (with minibatches: the batches an epoch has). */
  readonly terms: number;
  /**
   * "loopless" (default): keeps a reference point, which moves with the probability `refresh`, and the full gradient
   * there. "table": keeps the last gradient of every term and never takes a full gradient. It draws its own terms.
   */
  readonly form?: "loopless" | "table";
  /** The probability that the reference point moves. Default 1/m. */
  readonly refresh?: number;
  /** α, the share of its message by which a shift moves in a step. Default 1/(1 + ω), ω that of the compressor. */
  readonly shiftStep?: number;
}

/**
 * VR-DIANA: DIANA on variance-reduced stochastic gradients, so that it reaches the optimum from minibatches.
 *
 * ```text
 * gᵢ = ∇fᵢⱼ(x) − ∇fᵢⱼ(wᵢ) + ∇fᵢ(wᵢ)     fᵢ: the loss of rank i, the mean of m terms fᵢⱼ; j: the step's batch
 * a step of diana with gᵢ               x ← prox(x − γ g)
 * with probability 1/m: wᵢ ← x          wᵢ: the reference point, which moves on all ranks together
 *
 * "table": j is drawn at random; the table's entries stand for ∇fᵢⱼ(wᵢ) and their mean for ∇fᵢ(wᵢ); entry j ← ∇fᵢⱼ(x)
 * ```
 *
 * - Compressor: unbiased, E‖C(x) − x‖² ≤ ω ‖x‖² (a biased one through `induced`).
 * - Memory: four vectors a rank; "table": m + 3. Messages per step: one all-gather. A step takes two gradients of a
 *   term, and a full one every m steps ("table": one gradient of a term).
 * - Step size: γ ≤ 1 / (10 𝓛 (2 + 4 (1 + ω) / n)), 𝓛 the largest smoothness of a single term fᵢⱼ, which can be m times
 *   that of their mean (`Constants.largestTermSmoothness`); five times as much works in practice. With a shift step
 *   beyond 1/(1 + ω) the bound below holds as well, where M is b/a times as large, as for `diana`.
 * - Why: let V = (1/n) Σ (1/m) Σⱼ ‖∇fᵢⱼ(wᵢ) − ∇fᵢⱼ(x*)‖², σ = (1/n) Σ ‖hᵢ − ∇fᵢ(x*)‖², D = f(x) − f(x*). For convex
 *   terms (1/m) Σⱼ ‖∇fᵢⱼ(x) − ∇fᵢⱼ(x*)‖² is in the mean over ranks at most 2 𝓛 D, so that E‖g‖² ≤ 2 L D + ((1 + 2 ω)/n)
 *   (4 𝓛 D + 2 V) + 2 ω σ / n; a step leaves (1 − p) V + 2 p 𝓛 D of V and (1 − α) σ + α (4 𝓛 D + 2 V) of σ at most.
 *   Then ‖x − x*‖² + γ² (M σ + N V), M = 4 ω / (n α), N = (4 + 24 ω) / (n p), falls by max(1 − γ μ, 1 − α/2, 1 − p/2)
 *   in the mean for γ ≤ 1 / (L + (6 + 36 ω) 𝓛 / n), which the source's bound implies.
 * - Source: Horváth, Kovalev, Mishchenko, Richtárik, Stich, arXiv:1904.05115.
 * - Choose it for finite sums, when DIANA with minibatches stops at the noise of SGD. In `minimise` the problem
 *   evaluates all data and single terms; `DistributedOptimizer` needs its option `dataLoss` for it.
 *
 * @throws {TypeError} if the compressor is not unbiased
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { logistic, minimise, readLibsvm, vrDiana } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * const rows = readLibsvm("1 1:1\n-1 1:-1 2:1\n1 2:1\n-1 1:1 2:1\n");
 * const problem = logistic(rows, { ranks: 2, lambda: .1 }), method = vrDiana(identity(), { terms: 2 });
 * console.assert(minimise(problem, method, { rounds: 2000, batch: 1, error: 1e-6 }).reached);
 * ```
 */
export function vrDiana(compressor: UnbiasedCompressor, options: VrDianaOptions): Method {
  requireUnbiased("make vrDiana", compressor);
  const known = ["terms", "form", "refresh", "shiftStep"];
  const { terms, form = "loopless", refresh = 1 / terms, shiftStep } = checkOptions("make vrDiana", options, known);
  checkInteger("make vrDiana", "terms", terms, 1);
  checkNumber("make vrDiana", "refresh", refresh, { above: 0, most: 1 });
  if (shiftStep !== undefined) checkNumber("make vrDiana", "shiftStep", shiftStep, { above: 0 });
  checkChoice("make vrDiana", "form", form, ["loopless", "table"]);
  const alpha = (size: number) => shiftStep ?? 1 / (1 + compressor.omega(size));
  return {
    name: "vrDiana",
    asksGradients: true,
    options: { compressor, terms, form, refresh, ...shiftStep === undefined ? {} : { shiftStep } },
    stepSize({ size, ranks, smoothness, largestSmoothness, ...of }) {
      if (form === "table" && of.terms !== undefined && of.terms !== terms) {
        throw new RangeError(
          `Cannot use vrDiana's table of ${terms} terms: the problem has ${of.terms} a rank, expected as many`,
        );
      }
      const omega = compressor.omega(size), term = of.largestTermSmoothness ?? (of.terms ?? terms) * largestSmoothness;
      const noise = (6 + 12 * omega + 24 * omega * shiftCost(alpha(size), omega)) / ranks;
      return Math.min(1 / (10 * term * (2 + 4 * (1 + omega) / ranks)), 1 / (smoothness + noise * term));
    },
    ...form === "loopless" ? loopless(compressor, alpha, refresh) : table(compressor, alpha, terms),
  };
}

type Form = Pick<Method, "init" | "reduce">;

function loopless(compressor: UnbiasedCompressor, alpha: (size: number) => number, refresh: number): Form {
  return {
    init: ({ size }): State => ({
      local: {
        shift: new Float32Array(size),
        reference: new Float32Array(size),
        referenceGradient: new Float32Array(size),
      },
      shared: { meanShift: new Float32Array(size), started: new Float32Array(1) },
    }),
    *reduce(gradient, { local, shared }, context) {
      const parameters = requireParameters("vrDiana", context), { workspace } = context, size = gradient.length;
      const { reference, referenceGradient, shift } = local as Record<string, Float32Array>;
      const { meanShift, started } = shared as Record<string, Float32Array>;
      const first = started![0] === 0, moves = first || bernoulli(context.shared, refresh);
      const there = workspace.floats("there", size), whole = workspace.floats("whole", size);
      if (moves) yield* gradientAt(parameters, whole, "all");
      if (first) {
        gradient.set(whole); // x is the reference point
      } else {
        yield* gradientAt(reference!, there);
        subtract(gradient, there);
        add(gradient, referenceGradient!);
      }
      const shifts = { shift: shift!, meanShift: meanShift!, shiftStep: alpha(size) };
      yield* shiftedMean("vrDiana", compressor, gradient, shifts, context);
      if (moves) reference!.set(parameters), referenceGradient!.set(whole);
      started![0] = 1;
    },
  };
}

function table(compressor: UnbiasedCompressor, alpha: (size: number) => number, terms: number): Form {
  return {
    init: ({ size }): State => ({
      local: {
        shift: new Float32Array(size),
        table: new Float32Array(terms * size),
        tableMean: new Float32Array(size),
      },
      shared: { meanShift: new Float32Array(size) },
    }),
    *reduce(gradient, { local, shared }, context) {
      const parameters = requireParameters("vrDiana", context), { rank, keyOf, workspace } = context;
      const { table, tableMean, shift } = local as Record<string, Float32Array>, mean = tableMean!;
      const meanShift = shared.meanShift as Float32Array, size = gradient.length;
      const term = randomInteger(keyFor(keyOf(rank), "term"), terms);
      const entry = table!.subarray(term * size, (term + 1) * size), now = workspace.floats("now", size);
      yield* gradientAt(parameters, now, term);
      gradient.set(now);
      subtract(gradient, entry);
      add(gradient, mean);
      yield* shiftedMean(
        "vrDiana",
        compressor,
        gradient,
        { shift: shift!, meanShift, shiftStep: alpha(size) },
        context,
      );
      // The difference is taken first: the mean with the new entry added, before the old one is subtracted, need not be
      // finite.
      for (let j = 0; j < size; j++) mean[j]! += (now[j]! - entry[j]!) / terms;
      entry.set(now);
    },
  };
}
