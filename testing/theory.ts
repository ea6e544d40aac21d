/** The conformance suite of what theory says of a method. @module */

import { minimise } from "../optimizers/problems/minimise.ts";
import type { Problem } from "../optimizers/problems/problem.ts";
import type { Constants, Method } from "../optimizers/methods/method.ts";
import { keyFor } from "../optimizers/methods/keys.ts";
import { fold, key } from "../random.ts";
import { type Property, withoutMathRandom } from "./property.ts";
import { type ProblemKind, randomProblem } from "./random_problem.ts";

export type { ProblemKind } from "./random_problem.ts";

/** A run of a method on a random problem, as a theorem speaks of it. x⁰ = 0; x* is the optimum. */
export interface TheoryCase {
  /** d, n, L, μ and the like. */
  readonly constants: Constants;
  /** γ, what `stepSize` says. */
  readonly step: number;
  /** t, the steps taken. */
  readonly steps: number;
  /** ‖x⁰ − x*‖². */
  readonly distance: number;
  /** f(x⁰) − f(x*). */
  readonly gap: number;
  /** (1/n) Σ ‖∇fᵢ(x⁰)‖². */
  readonly startGradients: number;
  /** (1/n) Σ ‖∇fᵢ(x*)‖²: 0 where the ranks agree on the optimum. */
  readonly gradients: number;
  /** (1/n) Σ (1/m) Σⱼ ‖∇fᵢⱼ(x*)‖², of single terms; as `gradients` where there are none. */
  readonly termGradients: number;
}

/** What a test knows of its method beyond what it declares, and how much is tried. */
export interface TheoryPropertiesOptions {
  /**
   * What the method's theorem promises: an upper bound of E‖xᵗ − x*‖², the mean over what the method draws. Default:
   * twice L/μ (‖x⁰ − x*‖² + (1/n) Σ ‖∇fᵢ(x*)‖² / μ²), which any method stays within that does not diverge.
   */
  readonly within?: (given: TheoryCase) => number;
  /** The problems that the theorem covers. Default: all. */
  readonly kinds?: readonly ProblemKind[];
  /** Numbers of ranks, of which each problem has one. Default: 1 to 20. */
  readonly ranks?: readonly number[];
  /** The most parameters. Default 12. */
  readonly size?: number;
  /** The largest condition number L/μ of the quadratics; nearly that of the others. Default 10⁴. */
  readonly condition?: number;
  /** Terms drawn per rank and step, for methods that take minibatches. Default: full gradients. */
  readonly batch?: number;
  /** Problems of each kind. Default 8. */
  readonly problems?: number;
  /** Runs on each problem, with a seed each. Default 4. */
  readonly draws?: number;
  /** Steps of each run. Default 400. */
  readonly steps?: number;
  /** Seed of every random choice of the suite. Default 1. */
  readonly seed?: number;
}

/**
 * A run counts as beyond the bound from so many times the bound on. By Markov's inequality one in so many is, at most.
 */
const EXCESS = 32;

/**
 * What the step size of a method must satisfy, as named checks, on random problems: condition numbers up to 10⁴, up to
 * 20 ranks, ranks and terms that differ in size and in their optima, losses of any scale.
 *
 * - It is positive and finite, and a loss c f in place of f divides it by c.
 * - With it, ‖xᵗ − x*‖² stays within what the theorem promises (`within`), after a third, two thirds and all of the
 *   steps.
 *
 * The promise is of a mean. A problem is a failure if in all of its `draws` runs the distance is 32 times the bound or
 * more: of a method that keeps its promise that has at most the chance of 32 to the power of −draws, 1e-6 by default,
 * at each of the three moments. What diverges does so in all runs. Rounding to float32 is allowed for.
 *
 * Takes a second or two for 24 problems of 4 runs; `problems` and `steps` make it more thorough.
 *
 * @param make makes the method under test for a problem's constants, of which some methods have to know one
 *
 * @example
 * ```ts
 * import { theoryProperties } from "@gradwire/tfjs/testing";
 * import { average } from "@gradwire/tfjs/optimizers";
 * import { randK } from "@gradwire/tfjs/compressors";
 * // E‖xᵗ − x*‖² ≤ (1 − γ μ)ᵗ ‖x⁰ − x*‖² + (2 γ ω / (μ n)) (1/n) Σ ‖∇fᵢ(x*)‖²
 * const compressor = randK({ ratio: .3 });
 * const checks = theoryProperties(() => average(compressor), {
 *   problems: 2,
 *   within: ({ constants: { size, ranks, convexity }, step, steps, distance, gradients }) =>
 *     (1 - step * convexity) ** steps * distance + 2 * step * compressor.omega(size) / (convexity * ranks) * gradients,
 * });
 * for (const { check } of checks) await check();
 * ```
 */
export function theoryProperties(
  make: (constants: Constants) => Method,
  options: TheoryPropertiesOptions = {},
): Property[] {
  const { kinds = ["quadratic", "ridge", "logistic"], problems = 8, seed = 1, within = anyBound } = options;
  const { ranks = Array.from({ length: 20 }, (_, i) => i + 1), size = 12, condition = 1e4 } = options;
  const root = keyFor(key(seed), "testing");
  const problemOf = (kind: ProblemKind, i: number) =>
    randomProblem(kind, fold(fold(root, kinds.indexOf(kind)), i), { ranks, size, condition });
  const { name } = make(problemOf(kinds[0]!, 0).constants), claims: Property[] = [];
  const property = (claim: string, check: () => void) =>
    claims.push({ name: `${name}: ${claim}`, check: () => withoutMathRandom(check) });

  property("its step size is positive, and that of c f is 1/c of that of f", () => {
    for (let i = 0; i < problems; i++) {
      const { constants } = problemOf(kinds[i % kinds.length]!, i), step = stepOf(make, constants);
      for (const factor of [1e-3, 8]) {
        const scaled = stepOf(make, scale(constants, factor));
        if (Math.abs(scaled * factor / step - 1) < 1e-9) continue;
        throw new Error(
          `the step size is ${step}, and ${scaled} for ${factor} times the loss, expected ${step / factor}`,
        );
      }
    }
  });
  for (const kind of kinds) {
    property(`its step size keeps what theory promises on ${names[kind]}`, () => {
      for (let i = 0; i < problems; i++) checkRuns(make, problemOf(kind, i), `${kind} ${i}`, within, options);
    });
  }
  return claims;
}

const names = { quadratic: "quadratics", ridge: "ridge regression", logistic: "logistic regression" };

function anyBound({ constants: { smoothness, convexity }, distance, gradients }: TheoryCase): number {
  return 2 * smoothness / convexity * (distance + gradients / convexity ** 2);
}

function stepOf(make: (constants: Constants) => Method, constants: Constants): number {
  const step = make(constants).stepSize?.(constants);
  if (step !== undefined && step > 0 && step < Infinity) return step;
  throw new Error(`the step size is ${step} for ${JSON.stringify(constants)}, expected a positive number`);
}

/** The constants of c f. */
function scale(constants: Constants, factor: number): Constants {
  const { smoothness, largestSmoothness, meanSquareSmoothness, convexity, largestTermSmoothness = 0 } = constants;
  return {
    ...constants,
    smoothness: factor * smoothness,
    largestSmoothness: factor * largestSmoothness,
    meanSquareSmoothness: factor * meanSquareSmoothness,
    convexity: factor * convexity,
    ...largestTermSmoothness > 0 ? { largestTermSmoothness: factor * largestTermSmoothness } : {},
  };
}

function checkRuns(
  make: (constants: Constants) => Method,
  problem: Problem,
  what: string,
  within: (given: TheoryCase) => number,
  { draws = 4, steps = 400, batch }: TheoryPropertiesOptions,
): void {
  const { constants, minimiser } = problem, method = make(constants), step = stepOf(make, constants);
  const { every = 1 } = method, third = every * Math.ceil(steps / 3 / every), start = startOf(problem, minimiser);
  if (start.distance === 0) return;
  const runs = Array.from({ length: draws }, (_, seed) =>
    minimise(problem, method, {
      rounds: 3 * third,
      every: third,
      seed,
      step,
      minimiser,
      ...batch === undefined ? {} : { batch },
    }).history);
  for (const t of [third, 2 * third, 3 * third]) {
    const bound = within({ ...start, constants, step, steps: t }) + roundingOf(start, constants, step, t);
    // A run that has ended early has diverged.
    const distances = runs.map((history) =>
      start.distance * (history.find(({ round }) => round === t)?.error ?? Infinity)
    );
    const least = Math.min(...distances);
    if (!(bound >= 0) || !(least < EXCESS * bound)) {
      throw new Error(
        `${what}, of ${constants.ranks} ranks and ${constants.size} parameters, L/μ = ${
          (constants.smoothness / constants.convexity).toPrecision(3)
        }: after ${t} steps of ${step} the squared distance from the optimum is ${least} or more in ${draws} runs, ` +
          `expected ${bound} in the mean`,
      );
    }
  }
}

type Start = Omit<TheoryCase, "constants" | "step" | "steps">;

function startOf(problem: Problem, minimiser: Float64Array): Start {
  const { size, ranks } = problem.constants, zero = new Float32Array(size), best = Float32Array.from(minimiser);
  const into = new Float32Array(size),
    mean = (of: (rank: number) => number) =>
      Array.from({ length: ranks }, (_, rank) => of(rank)).reduce((sum, v) => sum + v / ranks, 0);
  const squared = (rank: number, at: Float32Array, terms?: Uint32Array) => {
    problem.gradient(rank, at, into, terms);
    return into.reduce((sum, v) => sum + v * v, 0);
  };
  const ofTerms = (rank: number) => {
    const m = problem.terms(rank);
    if (m === 1) return squared(rank, best);
    return Array.from({ length: m }, (_, j) => squared(rank, best, Uint32Array.of(j)) / m).reduce((a, b) => a + b);
  };
  return {
    distance: minimiser.reduce((sum, v) => sum + v * v, 0),
    gap: Math.max(0, problem.loss(zero) - problem.loss(best)),
    startGradients: mean((rank) => squared(rank, zero)),
    gradients: mean((rank) => squared(rank, best)),
    termGradients: mean(ofTerms),
  };
}

/**
 * What rounding x and the gradients to float32 in each step may add up to, squared, before the optimum draws it back.
 */
function roundingOf(start: Start, { convexity }: Constants, step: number, steps: number): number {
  const lasts = Math.min(steps, 1 / (step * convexity)), unit = 2 ** -23;
  const gradients = Math.max(start.startGradients, start.gradients, start.termGradients);
  return (unit * lasts) ** 2 * (start.distance + step ** 2 * gradients);
}
