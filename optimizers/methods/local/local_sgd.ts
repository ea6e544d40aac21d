import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { average } from "../average.ts";
import { checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { requireContractive } from "../../../compressors/check.ts";
import { requireMethod } from "../check_method.ts";
import { requireParameters, requireRate } from "../parts/require_context.ts";
import { errorFeedback } from "../error_feedback/error_feedback.ts";
import { requireFinite } from "../parts/finite.ts";
import { among, requireSampled, sampleRanks, sampleSize, samplingVariance } from "../parts/sampling.ts";
import { commit, copyOf, derive, joinStates, partOf, partOfWorkspace, requireGradient } from "../parts/inner_method.ts";
import type { Constants, Method } from "../method.ts";

/** Options of {@linkcode localSgd}. */
export interface LocalSgdOptions {
  /** H: steps from one exchange to the next. */
  readonly every: number;
  /** How the ranks agree on their mean movement. Its steps are the exchanges. Default `average()`. */
  readonly method?: Method;
}

/**
 * Local SGD: every rank takes `every` steps of gradient descent on its own, then the ranks average how far they have
 * moved. It owns the update: the inner optimizer only gives the learning rate.
 *
 * ```text
 * yᵢ ← yᵢ − γ gᵢ          every step, from yᵢ = x; gᵢ: the gradient of rank i at its own point yᵢ
 * Δ ← mean of x − yᵢ      every H steps, compressed as `method` does
 * x ← x − Δ;  yᵢ ← x
 * ```
 *
 * - Compressor: what `method` needs. It is given movements in units of the parameters, with the learning rate inside.
 * - Memory: one vector and the method's. Messages: the method's, every H steps; none in between, when each rank has its
 *   own parameters.
 * - Step size, for fᵢ of smoothness at most Lmax: γ ≤ min(1 / (4 Lmax), 1 / (8 Lmax (H − 1)), γʳ / H'), where γʳ is the
 *   method's own bound, and H' is 1 for H = 1 and 2 H for others; none where the method has none. Where the ranks' data
 *   differ, with gradients of variance ζ² over the ranks, it is biased by O(γ H ζ²); `scaffold` is not.
 * - Why: the first two bounds are those of the second source, which keep yᵢ near x. The method sees γ H vᵢ, where vᵢ is
 *   the mean of rank i's gradients on its way, so that it takes a step of size γ H along vᵢ. A step of gradient descent
 *   along convex fᵢ does not take two points apart, so ‖yᵢ − x‖ ≤ k γ ‖∇fᵢ(x)‖ after k steps, and with γ Lmax (H − 1) ≤
 *   1/8 ‖vᵢ − ∇fᵢ(x)‖ ≤ ‖∇fᵢ(x)‖ / 16. In the descent of ‖x − x*‖² from which the method's bound comes, this and the
 *   distance between the points where gradients are taken cost less than the half that H' leaves.
 * - Source: Stich, arXiv:1805.09767; Khaled, Mishchenko, Richtárik, arXiv:1909.04746.
 * - Choose it when a step waits for latency rather than for bytes, and the ranks' data are alike.
 *
 * @throws {RangeError} if `every` is not an integer ≥ 1
 * @throws {TypeError} if the method owns the update or asks for gradients at other points
 *
 * @example
 * ```ts
 * import { localSgd, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[1, 0], [0, 2]], b: [-1, 0] }]);
 * const { reached, bytes, round } = minimise(problem, localSgd({ every: 4 }), { rounds: 400, error: 1e-6 });
 * console.assert(reached && bytes === 8 * Math.floor(round / 4));
 * ```
 */
export function localSgd(options: LocalSgdOptions): Method {
  const { every, method = average() } = checkOptions("make localSgd", options, ["every", "method"]);
  requireMethod("make localSgd", "method", method);
  checkInteger("make localSgd", "every", every, 1);
  return local({ name: "localSgd", options: { every, method }, every, method });
}

/** Options of {@linkcode fedAvg}. */
export interface FedAvgOptions {
  /** The share of the ranks that take part in a round, at least one. Default 1. */
  readonly fraction?: number;
  /** K: local steps in a round. */
  readonly localSteps: number;
  /**
   * How the ranks that take part agree on their mean movement. Its steps are the rounds. With a fraction below 1 it
   * must be a method that is right among a part of the ranks (`Method.sampled`): `average`, `errorFeedback` without
   * delay, `diana`, `deepGradientCompression`, `powerSgd` and combinations of these. Default `average()`.
   */
  readonly method?: Method;
  /** η: how much of the mean movement the server takes over. Default 1. */
  readonly globalRate?: number;
}

/**
 * Federated averaging: in each round a part of the ranks, sampled by key, takes K local steps; the others wait. All
 * ranks have equal weight. It owns the update: the inner optimizer only gives the learning rate.
 *
 * ```text
 * S ← max(1, C n) of the n ranks, without replacement; C: the fraction;   yᵢ ← x
 * yᵢ ← yᵢ − γ gᵢ                    K times, for i in S; gᵢ: the gradient of rank i at yᵢ
 * Δ ← mean over S of x − yᵢ         compressed as `method` does
 * x ← x − η Δ
 * ```
 *
 * - Compressor: what `method` needs. Ranks outside S send empty messages and keep their local state. What a method
 *   would sum over S by all-reduce is gathered, for the others would have to send zeros.
 * - Memory: one vector and the method's. Messages: the method's, every K steps.
 * - Step size, for fᵢ of smoothness at most Lmax: γ ≤ min(1 / (4 Lmax), 1 / (8 Lmax (K − 1)), γˢ / (η K')), where K' is
 *   1 for K = 1 and 2 K for others, 1/γˢ = 1/γʳ + 6 q Lmax / |S|, γʳ is the method's bound for |S| ranks, and q = (n −
 *   |S|) / (n − 1). On quadratics ½ (x − bᵢ)ᵀ Aᵢ (x − bᵢ) with full gradients it converges to (Σ Wᵢ)⁻¹ Σ Wᵢ bᵢ, Wᵢ = I
 *   − (I − γ Aᵢ)ᴷ, which is not the optimum if the ranks' data differ.
 * - Why: the mean of |S| of n vectors drawn without replacement has the variance (q / |S|) (1/n) Σ ‖vᵢ − v‖² about
 *   their mean v. So sampling acts on |S| ranks as a compressor does whose ω is larger by q. That costs 2 q Lmax / |S|
 *   without a state, and 6 q Lmax / |S| with shifts as in `diana`, whose mean moves by |S|/n of what S sends.
 * - Source: McMahan, Moore, Ramage, Hampson, Agüera y Arcas, arXiv:1602.05629.
 * - Choose it with many ranks of which few can take part at a time.
 *
 * @throws {RangeError} if an option is out of range
 * @throws {TypeError} if the method owns the update or asks for gradients at other points, or is wrong with a fraction
 * below 1
 *
 * @example
 * ```ts
 * import { fedAvg, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * const part = { a: [[1, 0], [0, 2]], b: [1, 1] }, problem = quadratic([part, part, part, part]);
 * const method = fedAvg({ fraction: .5, localSteps: 4 });
 * console.assert(minimise(problem, method, { rounds: 400, error: 1e-6 }).reached);
 * ```
 */
export function fedAvg(options: FedAvgOptions): Method {
  const known = ["fraction", "localSteps", "method", "globalRate"];
  const { fraction = 1, localSteps, method = average(), globalRate = 1 } = checkOptions("make fedAvg", options, known);
  requireMethod("make fedAvg", "method", method);
  checkInteger("make fedAvg", "localSteps", localSteps, 1);
  checkNumber("make fedAvg", "fraction", fraction, { above: 0, most: 1 });
  checkNumber("make fedAvg", "globalRate", globalRate, { above: 0 });
  const given = { fraction, localSteps, method, globalRate };
  return local({ name: "fedAvg", options: given, every: localSteps, method, fraction, globalRate });
}

/** Options of {@linkcode qsparseLocal}. */
export interface QsparseLocalOptions {
  /** H: steps from one exchange to the next. */
  readonly every: number;
}

/**
 * Qsparse-local-SGD: local steps, and error feedback on the movement that is exchanged every H steps. It owns the
 * update: the inner optimizer only gives the learning rate.
 *
 * ```text
 * yᵢ ← yᵢ − γ gᵢ                       every step, from yᵢ = x; gᵢ: the gradient of rank i of n at yᵢ
 * Dᵢ = mᵢ + x − yᵢ;  send C(Dᵢ)        every H steps
 * mᵢ ← Dᵢ − C(Dᵢ)                      in units of the parameters
 * x ← x − (1/n) Σ C(Dᵢ);  yᵢ ← x
 * ```
 *
 * - Compressor: contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α < 1; the paper's are `compose(quantizer, sparsifier)` and
 *   `signTopK`.
 * - Memory: two vectors a rank. Messages: one all-gather every H steps.
 * - Step size: that of `localSgd` with `errorFeedback` for its method: γ ≤ min(1 / (4 Lmax), 1 / (8 Lmax (H − 1)), δ /
 *   (20 Lmax H')), δ = 1 − α, where H' is 1 for H = 1 and 2 H for others. The paper lets γ fall as 1/(a + t) in step t.
 *   A constant γ ends in a neighbourhood of the optimum. With H = 1 it is `errorFeedback`.
 * - Source: Basu, Data, Karakus, Diggavi, arXiv:1906.02367.
 * - Choose it when a step waits for both bytes and latency: its messages are short and rare.
 *
 * @throws {RangeError} if `every` is not an integer ≥ 1
 * @throws {TypeError} if the compressor is not contractive
 *
 * @example
 * ```ts
 * import { minimise, qsparseLocal, quadratic } from "@gradwire/tfjs/optimizers";
 * import { topK } from "@gradwire/tfjs/compressors";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = qsparseLocal(topK({ k: 1 }), { every: 2 });
 * console.assert(minimise(problem, method, { rounds: 2000, step: .01, error: 1e-2 }).reached);
 * ```
 */
export function qsparseLocal(compressor: ContractiveCompressor, options: QsparseLocalOptions): Method {
  requireContractive("make qsparseLocal", compressor);
  const { every } = checkOptions("make qsparseLocal", options, ["every"]);
  checkInteger("make qsparseLocal", "every", every, 1);
  return local({ name: "qsparseLocal", options: { compressor, every }, every, method: errorFeedback(compressor) });
}

/** What {@linkcode localSgd}, {@linkcode fedAvg} and {@linkcode qsparseLocal} have in common. */
interface Local {
  readonly name: string;
  readonly options: Method["options"];
  readonly every: number;
  readonly method: Method;
  readonly fraction?: number;
  readonly globalRate?: number;
}

/** The method that moves the ranks by local steps and exchanges their movements by `method`. */
function local({ name, options, every, method, fraction = 1, globalRate = 1 }: Local): Method {
  requireGradient(name, method), requireSampled(name, fraction, method);
  /**
   * The lesser of what keeps the ranks together on their way and what the method allows for a step of `every` steps.
   */
  const stepSize = (constants: Constants) => {
    const { ranks, largestSmoothness } = constants, taking = sampleSize(fraction, ranks);
    // The bound for all ranks counts as well: theory of a single rank does not cover one that is drawn from several.
    const own = Math.min(method.stepSize!(constants), method.stepSize!({ ...constants, ranks: taking }));
    const round = 1 / (1 / own + 6 * samplingVariance(taking, ranks) * largestSmoothness / taking);
    const drift = 1 / (largestSmoothness * Math.max(4, 8 * (every - 1)));
    return Math.min(drift, round / (globalRate * (every === 1 ? 1 : 2 * every)));
  };
  return {
    name,
    options,
    yields: "parameters",
    every,
    ...method.stepSize ? { stepSize } : {},
    init: (layout, ranks) =>
      joinStates({ method: method.init(layout, ranks) }, {
        shared: { anchor: new Float32Array(layout.size), started: new Float32Array(1) },
      }),
    *reduce(gradient, state, context) {
      const { anchor, started } = state.shared as { anchor: Float32Array; started: Float32Array };
      const y = requireParameters(name, context), rate = requireRate(name, context), { rank, step } = context;
      const first = started[0] === 0, from = first ? y : anchor, members = sampleRanks(fraction, every, context);
      const steps = members.includes(rank) ? rate : 0;
      for (let j = 0; j < y.length; j++) gradient[j] = y[j]! - steps * gradient[j]!;
      if ((step + 1) % every === 0) {
        for (let j = 0; j < y.length; j++) gradient[j] = from[j]! - gradient[j]!;
        // Movements are in units of the parameters: the learning rate is inside them.
        const inner = derive(context, {
          workspace: partOfWorkspace(context.workspace, "method"),
          learningRate: undefined,
          parameters: from,
          // The inner method's steps are the exchanges. Their keys are those of the steps in which they take place.
          step: Math.floor(step / every),
          keysAt: (exchange) => context.keysAt((exchange + 1) * every - 1),
          early: false,
        });
        // The inner method works on a copy: it writes its state before the new point is known to be finite.
        const part = partOf(state, "method"), working = copyOf(part, context.workspace, "working");
        yield* among(members, method, gradient, working, inner);
        for (let j = 0; j < y.length; j++) gradient[j] = from[j]! - globalRate * gradient[j]!;
        requireFinite(name, "the point", gradient);
        commit(working, part);
        anchor.set(gradient);
      } else {
        requireFinite(name, "the rank's point", gradient);
        if (first) anchor.set(y);
      }
      started[0] = 1;
    },
  };
}
