import type { ContractiveCompressor } from "../../../compressors/compressor.ts";
import { scaledSign } from "../../../compressors/quantizers/scaled_sign.ts";
import { checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { requireContractive } from "../../../compressors/check.ts";
import { requireRate } from "../parts/require_context.ts";
import { requireFinite } from "../parts/finite.ts";
import { reduceMean } from "../parts/mean.ts";
import type { Method } from "../method.ts";
import { type BidirectionalState, bidirectionalState, compressBothWays } from "./bidirectional.ts";

/** State of {@linkcode oneBitAdam}. */
export type OneBitAdamState = {
  /** Of the momentum: what this rank has not sent yet, and what it has not passed on as the server of its stripe. */
  readonly local: BidirectionalState["local"];
  /** m and v, and how many steps have been taken. */
  readonly shared: BidirectionalState["shared"] & {
    readonly momentum: Float32Array;
    readonly variance: Float32Array;
    readonly count: Float64Array;
  };
};

/** Options of {@linkcode oneBitAdam}. */
export interface OneBitAdamOptions {
  /** Steps of uncompressed Adam before v is frozen: 15 to 25 % of the training, or until v is stable. */
  readonly warmupSteps: number;
  /** β₁. Default 0.9. */
  readonly beta1?: number;
  /** β₂. Default 0.999. */
  readonly beta2?: number;
  /** ε. Default 1e-7, as in tfjs. */
  readonly epsilon?: number;
  /** Compresses both ways. Default `scaledSign({ block: 4096 })`. */
  readonly compressor?: ContractiveCompressor;
}

/**
 * 1-bit Adam: uncompressed Adam first; then its second moment is frozen, and the momentum is exchanged with error
 * feedback both ways, where each rank serves a stripe. It owns the update: the inner optimizer only gives the learning
 * rate.
 *
 * ```text
 * first:  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²          g: the mean gradient, uncompressed
 * then:   mᵢ = β₁ m + (1 − β₁) gᵢ                                 gᵢ: the gradient of rank i; eᵢ: its error
 *         send C(mᵢ + eᵢ), stripe by stripe;  eᵢ ← mᵢ + eᵢ − C(mᵢ + eᵢ)
 *         s = (1/n) Σ C(mᵢ + eᵢ) + e;  m ← C(s);  e ← s − C(s)
 * x ← x − γ m̂ / (√v̂ + ε)                                          bias-corrected; 0 where v is 0
 * ```
 *
 * Errors are in units of the momentum, so a changing learning rate needs no ratio.
 *
 * - Compressor: contractive, E‖C(x) − x‖² ≤ α ‖x‖² with α < 1. Default `scaledSign({ block: 4096 })`, about 32 times
 *   fewer bytes once it compresses.
 * - Memory: (3 + 1/n) vectors a rank. Messages per step: first one all-reduce; then one all-to-all and one all-gather.
 * - Step size: that of Adam.
 * - Source: Tang, Gan, Awan, Rajbhandari, Li, Lian, Liu, Zhang, He, arXiv:2102.02888.
 * - Choose it for long trainings with Adam; for short ones `errorFeedback` around Adam needs no warm-up.
 *
 * @throws {TypeError} if the compressor is not contractive
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { minimise, oneBitAdam, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const method = oneBitAdam({ warmupSteps: 100 });
 * console.assert(minimise(problem, method, { rounds: 2000, step: .01, error: 1e-2 }).reached);
 * ```
 */
export function oneBitAdam(options: OneBitAdamOptions): Method<OneBitAdamState> {
  const known = ["warmupSteps", "beta1", "beta2", "epsilon", "compressor"];
  const { warmupSteps, beta1 = .9, beta2 = .999, epsilon = 1e-7, compressor = scaledSign({ block: 4096 }) } =
    checkOptions("make oneBitAdam", options, known);
  checkInteger("make oneBitAdam", "warmupSteps", warmupSteps, 1);
  checkNumber("make oneBitAdam", "beta1", beta1, { least: 0, below: 1 });
  checkNumber("make oneBitAdam", "beta2", beta2, { least: 0, below: 1 });
  checkNumber("make oneBitAdam", "epsilon", epsilon, { above: 0 });
  requireContractive("make oneBitAdam", compressor);
  return {
    name: "oneBitAdam",
    options: { warmupSteps, beta1, beta2, epsilon, compressor },
    yields: "step",
    init({ size }, ranks = 1) {
      const { local, shared } = bidirectionalState(size, ranks);
      const moments = { momentum: new Float32Array(size), variance: new Float32Array(size) };
      return { local, shared: { ...shared, ...moments, count: new Float64Array(1) } };
    },
    *reduce(gradient, state, context) {
      const { momentum: m, variance: v, count } = state.shared, d = gradient.length;
      const steps = count[0]! + 1, rate = requireRate("oneBitAdam", context);
      const first = 1 - power(beta1, steps), second = 1 - power(beta2, Math.min(steps, warmupSteps));
      const update = context.workspace.floats("update", d);
      /** The update with these moments; nothing is written to the state before it is known to be finite. */
      const updateWith = (m: Float32Array, v: Float32Array) => {
        for (let j = 0; j < d; j++) {
          // What has never had a gradient has no scale, and the compressor's ± would move it without bound.
          update[j] = v[j] === 0 ? 0 : rate * (m[j]! / first) / (Math.sqrt(v[j]! / second) + epsilon);
        }
        requireFinite("oneBitAdam", "the update", update);
      };
      if (steps <= warmupSteps) {
        const nextV = context.workspace.floats("variance", d);
        yield* reduceMean("oneBitAdam", "the mean", gradient, context.size);
        for (let j = 0; j < d; j++) {
          nextV[j] = beta2 * v[j]! + (1 - beta2) * gradient[j]! ** 2;
          gradient[j] = beta1 * m[j]! + (1 - beta1) * gradient[j]!;
        }
        requireFinite("oneBitAdam", "the mean square of the gradients", nextV);
        updateWith(gradient, nextV);
        v.set(nextV);
      } else {
        for (let j = 0; j < d; j++) gradient[j] = beta1 * m[j]! + (1 - beta1) * gradient[j]!;
        yield* compressBothWays(gradient, state, context, {
          name: "oneBitAdam",
          compressorOf: () => compressor,
          learningRate: 1, // the momentum, whose errors are kept, does not depend on it
          accept: (m) => updateWith(m, v),
        });
      }
      m.set(gradient);
      count[0] = steps;
      gradient.set(update);
    },
  };
}

/** base^exponent for an integer exponent, by products only: the same bits in every engine. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let n = exponent; n >= 1; n = Math.floor(n / 2), base *= base) if (n % 2 === 1) result *= base;
  return result;
}
