/** What a method makes of the largest and the smallest gradients and learning rates. @module */

import type { Layout, Method, State, Vectors } from "../optimizers/methods/method.ts";
import { workspace } from "../optimizers/methods/workspace.ts";
import { bits, fold, key } from "../random.ts";
import type { GradientOracle } from "../transport/round.ts";
import { copyState, difference } from "./states.ts";
import { tryTogether } from "./step_together.ts";

/** Number j of a rank's gradient in a step, from two random words. */
type Draw = (step: number, rank: number, sign: number, unit: number) => number;

const LARGE = 3.4e38;

/** Gradients at the ends of float32, by name. */
export const extremes: Readonly<Record<string, Draw>> = {
  "of the least subnormals": (_step, _rank, sign, unit) => sign * Math.ceil(3 * unit) * 2 ** -149,
  "of subnormals": (_step, _rank, sign, unit) => sign * unit * 2 ** -126,
  "of all magnitudes": (_step, _rank, sign, unit) => sign * 2 ** (277 * unit - 149),
  "of the largest numbers": () => LARGE,
  "of the largest numbers, of random signs": (_step, _rank, sign) => sign * LARGE,
  "that swing between the largest numbers": (step, rank) => (step + rank) % 2 === 0 ? LARGE : -LARGE,
  "of which one rank's are the largest numbers": (_step, rank, sign) => rank === 0 ? sign * LARGE : sign,
  "that are large once, then small": (step, _rank, sign, unit) => sign * unit * (step === 1 ? LARGE : 1e-30),
};

/** Learning rates that vanish, come back, and change by many orders of magnitude. */
export const rates: readonly number[] = [.05, .03, 0, .05, 1e-46, 2 ** -150, .01, 8e-46, 1e-42, .05, 1e10, .05];

/** One run of a method at the extremes. */
export interface ExtremeRun {
  readonly ranks: number;
  readonly layout: Layout;
  readonly seed: number;
  readonly steps: number;
  readonly draw: Draw;
  readonly rate: (step: number) => number;
  /** Whether the ranks agree after a step. */
  readonly agrees: (step: number) => boolean;
  /** Whether the method may refuse a step. */
  readonly mayRefuse: boolean;
}

/**
 * Takes the steps of a run.
 *
 * @throws {Error} unless after each step results and states are finite, and equal where they must be; or else all ranks
 *   have refused it at the same point, with the same words that begin with "Cannot", and their states as they were
 */
export function takeExtremeSteps(method: Method, run: ExtremeRun): void {
  const { ranks, layout, seed, steps, rate, agrees, mayRefuse } = run, { size } = layout;
  const states = Array.from({ length: ranks }, () => method.init(layout, ranks)), memory = states.map(workspace);
  const parameters = states.map(() => new Float32Array(size));
  for (let step = 0; step < steps; step++) {
    const gradients = states.map((_, rank) => gradientOf(run, step, rank, size));
    const oracles = states.map((_, rank): GradientOracle => (_at, into) => into.set(gradientOf(run, step, rank, size)));
    const before = states.map(copyState);
    const say = (what: string) => new Error(`step ${step}, learning rate ${rate(step)}: ${what}`);
    const errors = tryTogether(method, states, gradients, {
      ...{ seed, step, layout, oracles, workspaces: memory, early: step % 2 === 1 },
      facts: (rank) => ({ learningRate: rate(step), parameters: parameters[rank]!.slice() }),
    });
    const refused = errors?.map((error) => error?.message);
    if (refused) {
      if (!mayRefuse) throw say(`the ranks refuse it: ${refused.find((words) => words !== undefined)}`);
      // Between its rounds a method that exchanges every so many steps refuses alone.
      const alone = (step + 1) % (method.every ?? 1) !== 0;
      const alike = refused.every((words) => words?.startsWith("Cannot") && words === refused[0]);
      if (!alone && !alike) throw say(`the ranks do not refuse it alike: ${refused.join("; ")}`);
      if (alone) return; // and goes no further, while the others wait for it in the next round
    }
    states.forEach((state, rank) => {
      if (refused && refused[rank] !== undefined) {
        return sameState(state, before[rank]!, say(`refused by rank ${rank}`));
      }
      allFinite(state, say(`rank ${rank}`));
      const result = gradients[rank]!, x = parameters[rank]!, kind = method.yields ?? "gradient";
      for (let j = 0; j < size; j++) {
        if (!Number.isFinite(result[j]!)) throw say(`number ${j} of the result is ${result[j]}`);
        if (agrees(step) && !Object.is(result[j], gradients[0]![j])) throw say(`the results of the ranks differ`);
        // Not beyond float32, which is the model's own matter.
        const next = kind === "parameters" ? result[j]! : x[j]! - (kind === "step" ? 1 : rate(step)) * result[j]!;
        x[j] = Math.max(-LARGE, Math.min(LARGE, next));
      }
      sameVectors(state.shared, states[0]!.shared, say(`shared, ranks ${rank} and 0`));
    });
  }
}

function gradientOf({ draw, seed }: ExtremeRun, step: number, rank: number, size: number): Float32Array {
  const words = bits(fold(fold(fold(key(seed), 4), step), rank), new Uint32Array(2 * size));
  return Float32Array.from(
    { length: size },
    (_, j) => draw(step, rank, words[2 * j]! & 1 ? 1 : -1, words[2 * j + 1]! * 2 ** -32),
  );
}

function allFinite({ local, shared }: State, { message }: Error): void {
  for (const [name, vector] of [...Object.entries(local), ...Object.entries(shared)]) {
    const at = vector.findIndex((value: number) => !Number.isFinite(value));
    if (at >= 0) throw new Error(`${message}: number ${at} of ${name} in the state is ${vector[at]}`);
  }
}

function sameState(one: State, other: State, error: Error): void {
  sameVectors(one.local, other.local, error), sameVectors(one.shared, other.shared, error);
}

function sameVectors(one: Vectors, other: Vectors, { message }: Error): void {
  for (const [name, vector] of Object.entries(one)) {
    const where = difference(vector, other[name]!);
    if (where !== undefined) throw new Error(`${message}: ${name} differs, ${where}`);
  }
}
