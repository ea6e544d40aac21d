/** The conformance suite of methods. @module */

import type { ContractiveCompressor, UnbiasedCompressor } from "../compressors/compressor.ts";
import { identity } from "../compressors/identity.ts";
import type { Layout, Method } from "../optimizers/methods/method.ts";
import { type ExtremeRun, extremes, rates, takeExtremeSteps } from "./extremes.ts";
import { Interruption, MethodRun, type MethodRunOptions } from "./method_run.ts";
import { type Property, withoutMathRandom } from "./property.ts";
import { copyState, requireSame, requireSameState, requireSameVectors } from "./states.ts";

/** What a test knows of its method beyond what it declares. */
export interface MethodPropertiesOptions {
  /** Seed of every random choice of the suite. Default 1. */
  readonly seed?: number;
  /** Numbers of ranks. Default 1, 2, 3, 4, 5. */
  readonly ranks?: readonly number[];
  /** The parameters. Default: a 3 × 4 matrix, a vector of 5 and a scalar. */
  readonly layout?: Layout;
  /** Whether it also takes a model of one number, fewer than there are ranks. Default true. */
  readonly scalar?: boolean;
  /** Steps of each run. Default 6; more where something new happens later. */
  readonly steps?: number;
  /** The learning rate. Default 0.05. */
  readonly rate?: number;
  /** Whether the ranks agree after a step (counted from 0). Default: after each. */
  readonly agrees?: (step: number) => boolean;
  /** Whether the estimate is the mean of the gradients if nothing is compressed. Default true. */
  readonly average?: boolean;
  /**
   * Whether full gradients of a heterogeneous quadratic, minimised with this step size for so many steps, lead to its
   * exact optimum (squared distance below 1e-8 of its start), as theory says of the method, or stay away from it (above
   * 1e-5), as theory says too.
   */
  readonly quadratic?: { readonly reaches: boolean; readonly steps: number; readonly rate: number };
}

/** Makes the method under test: with its own compressor, or with the one that is given (no compression). */
export type MakeMethod = (compressor?: UnbiasedCompressor & ContractiveCompressor) => Method;

/**
 * What a method must satisfy, as named checks. All ranks run in this thread, in lockstep, against a group that
 * overwrites its replies as soon as the next round begins and a workspace whose contents do not survive a step:
 *
 * - the ranks perform the same rounds and end with the same bits, in the estimate and in the shared state, for each
 *   number of ranks; also where there are fewer parameters than ranks; the parameters handed in are not modified;
 * - all zeros stay finite, and the shared state equal; nothing calls Math.random or replaces it;
 * - gradients at the ends of float32, and learning rates that vanish and come back, leave results and states finite, or
 *   all ranks refuse the step with the same words and their states as they were; with `identity()` and the same large
 *   gradient on all ranks, whose mean is finite, none refuses (`average`);
 * - wherever in a step a round or a gradient fails, the state is as before, and the step can be taken again;
 * - the state is all there is: going on from a copy at any step, with a fresh method, gives the same bits;
 * - with `identity()` the estimate is the mean of the gradients (`average`);
 * - a heterogeneous quadratic is minimised exactly, or is not (`quadratic`).
 *
 * Takes some tens of milliseconds.
 *
 * @param make makes the method under test
 *
 * @example
 * ```ts
 * import { methodProperties } from "@gradwire/tfjs/testing";
 * import { errorFeedback } from "@gradwire/tfjs/optimizers";
 * import { identity } from "@gradwire/tfjs/compressors";
 * for (const { check } of methodProperties((compressor = identity()) => errorFeedback(compressor))) await check();
 * ```
 */
export function methodProperties(make: MakeMethod, options: MethodPropertiesOptions = {}): Property[] {
  const { seed = 1, ranks = [1, 2, 3, 4, 5], layout = someLayout, steps = 6, rate = .05 } = options;
  const { agrees = () => true, average = true, scalar = true, quadratic } = options;
  const { name } = make();
  const run = (n: number, more: Partial<MethodRunOptions> = {}, method = make()) =>
    new MethodRun(method, { ranks: n, layout, seed, rate, ...more });
  const properties: Property[] = [];
  const property = (claim: string, check: () => void) =>
    properties.push({ name: `${name}: ${claim}`, check: () => withoutMathRandom(check) });

  for (const n of ranks) {
    property(`${n} ${n === 1 ? "rank performs" : "ranks perform the same rounds and end with"} the same bits`, () => {
      for (const shape of scalar ? [layout, { names: ["x"], shapes: [[]], size: 1 }] : [layout]) {
        const group = run(n, { layout: shape });
        for (let step = 0; step < steps; step++) {
          group.step();
          for (let rank = 1; rank < n; rank++) {
            if (agrees(step)) {
              requireSame(group.results[rank]!, group.results[0]!, `step ${step}: the results of ranks ${rank} and 0`);
              requireSame(
                group.parameters[rank]!,
                group.parameters[0]!,
                `step ${step}: the parameters of ranks ${rank} and 0`,
              );
            }
            requireSameVectors(
              group.states[rank]!.shared,
              group.states[0]!.shared,
              `step ${step}: shared, ranks ${rank} and 0`,
            );
          }
        }
      }
    });

    property(`zeros stay finite on ${n} ranks`, () => {
      const group = run(n, { gradients: "zero" });
      for (let step = 0; step < steps; step++) {
        group.step();
        // What is drawn anew where nothing is left, as PowerSGD's Q, is drawn alike.
        for (const { shared } of group.states) {
          requireSameVectors(shared, group.states[0]!.shared, `step ${step}: shared, ranks 0 and another`);
        }
      }
    });

    property(`extreme gradients and learning rates on ${n} ranks: finite, or refused by all alike`, () => {
      const common = { ranks: n, layout, seed, agrees, mayRefuse: true, rate: () => rate, steps };
      const take = (what: string, method: Method, more: Partial<ExtremeRun> & Pick<ExtremeRun, "draw">) => {
        try {
          takeExtremeSteps(method, { ...common, ...more });
        } catch (error) {
          throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
        }
      };
      for (const [which, draw] of Object.entries(extremes)) take(`gradients ${which}`, make(), { draw });
      const ordinary: ExtremeRun["draw"] = (_step, _rank, sign, unit) => sign * unit;
      // Each rate long enough for a method that exchanges every so many steps.
      const every = make().every ?? 1, vanishing = (step: number) => rates[Math.floor(step / every) % rates.length]!;
      take("learning rates", make(), { draw: ordinary, steps: every * rates.length, rate: vanishing });
      if (average) {
        const draw = extremes["of the largest numbers"]!;
        take("without compression, large gradients", make(identity()), { draw, mayRefuse: false });
      }
    });

    property(`a failure leaves the state as it was on ${n} ranks, and the step can be taken again`, () => {
      const whole = run(n), group = run(n);
      for (let step = 0; step < steps; step++) {
        whole.step();
        for (let at = 0; at < whole.performed; at++) {
          const before = group.states.map(copyState);
          let failed = false;
          try {
            group.step(at);
          } catch (error) {
            if (!(error instanceof Interruption)) throw error;
            failed = true;
          }
          if (!failed) throw new Error(`step ${step}: round ${at} failed, and the step went on`);
          group.states.forEach((state, rank) =>
            requireSameState(state, before[rank]!, `step ${step}, failed round ${at}`)
          );
        }
        group.step();
        group.states.forEach((state, rank) =>
          requireSameState(state, whole.states[rank]!, `step ${step}, taken again`)
        );
        group.results.forEach((result, rank) =>
          requireSame(result, whole.results[rank]!, `step ${step}, taken again: results`)
        );
      }
    });

    property(`going on from a copy of the state gives the same bits on ${n} ranks`, () => {
      const whole = run(n), method = make(), other = run(n, { seed: seed + 1 }, method);
      let group = run(n, {}, method);
      for (let step = 0; step < steps; step++) {
        whole.step();
        // A driver may exchange ahead in any step. A method that remembers something itself mixes up two models that
        // share it.
        other.step();
        group.step(Infinity, step % 2 === 1);
        group.results.forEach((result, rank) => requireSame(result, whole.results[rank]!, `step ${step}: results`));
        group.states.forEach((state, rank) => requireSameState(state, whole.states[rank]!, `step ${step}`));
        group = run(n, { from: group }, step % 2 === 0 ? make() : method);
      }
    });

    if (average) {
      property(`with identity() it is the plain average of ${n} ranks`, () => {
        const group = run(n, {}, make(identity()));
        for (let step = 0; step < steps; step++) {
          const parameters = group.parameters.map((x) => x.slice());
          group.step();
          const kind = group.method.yields ?? "gradient", result = group.results[0]!;
          for (let j = 0; j < result.length; j++) {
            const mean = group.given.reduce((sum, gradient) => sum + gradient[j]! / n, 0), own = parameters[0]![j]!;
            const expected = kind === "gradient" ? mean : kind === "step" ? rate * mean : own - rate * mean;
            if (!(Math.abs(result[j]! - expected) <= 1e-5 * Math.max(1, Math.abs(expected)))) {
              throw new Error(`step ${step}: number ${j} is ${result[j]}, expected ${expected}`);
            }
          }
        }
      });
    }
  }

  if (quadratic) {
    const { reaches, steps, rate } = quadratic, n = Math.max(...ranks);
    property(`a heterogeneous quadratic is ${reaches ? "minimised exactly" : "not minimised exactly"}`, () => {
      const group = run(n, { gradients: "full", rate });
      const start = group.distance;
      for (let step = 0; step < steps; step++) group.step();
      const left = group.distance / start;
      if (!(reaches ? left < 1e-8 : left > 1e-5)) {
        throw new Error(`after ${steps} steps the squared distance is ${left} of its start`);
      }
    });
  }
  return properties;
}

const someLayout: Layout = { names: ["kernel", "bias", "scale"], shapes: [[3, 4], [5], []], size: 18 };
