/** One step of a method on all ranks, which run in this thread in lockstep. @module */

import { context } from "../optimizers/methods/context.ts";
import type { Context, Layout, Method, State, Workspace } from "../optimizers/methods/method.ts";
import type { Exchange, GradientOracle } from "../transport/round.ts";
import { type Perform, runTogether } from "../transport/drivers.ts";

/** How a step is taken. */
interface StepTogether {
  /** Where all randomness comes from. */
  readonly seed: number;
  /** Steps taken before. */
  readonly step: number;
  readonly layout: Layout;
  /** The memory that each rank works in. */
  readonly workspaces: readonly Workspace[];
  /** What else a rank is told, such as the learning rate and the parameters. */
  readonly facts?: (rank: number) => Partial<Context>;
  /** The gradient oracle of each rank, for methods that ask for gradients. */
  readonly oracles?: readonly GradientOracle[];
  /** Whether what the method can exchange ahead of the gradient is exchanged ahead. Default false. */
  readonly early?: boolean;
  /** What runs in place of a rank's exchange, for instance one that counts its rounds. Default: the exchange itself. */
  readonly through?: (exchange: Exchange, rank: number) => Exchange;
  /** Performs the rounds of all ranks. Default: `performTogether`. */
  readonly perform?: Perform;
}

/**
 * Takes one step of all ranks: each gradient becomes what the method makes of it.
 *
 * @returns undefined; or, where ranks have failed, the error of each rank (undefined for one that went on until then)
 * @throws {Error} if the ranks perform different rounds, without any of them having failed
 */
export function tryTogether<S extends State>(
  method: Method<S>,
  states: readonly S[],
  gradients: readonly Float32Array[],
  { seed, step, layout, workspaces, facts, oracles, early = false, through, perform }: StepTogether,
): (Error | undefined)[] | undefined {
  const size = states.length, ahead = early && method.ahead !== undefined; // as a driver tells
  const contexts = states.map((_, rank) => ({
    ...context({ seed, step, rank, size, layout, workspace: workspaces[rank]!, early: ahead }),
    ...facts?.(rank),
  }));
  const errors: (Error | undefined)[] = states.map(() => undefined);
  const failed = (exchanges: readonly Exchange[]) => {
    const run = function* (exchange: Exchange, rank: number): Exchange {
      try {
        yield* through?.(exchange, rank) ?? exchange;
      } catch (error) {
        errors[rank] = error instanceof Error ? error : new Error(String(error));
      }
    };
    try {
      runTogether(exchanges.map(run), oracles, perform);
    } catch (error) {
      // A rank that has failed has ended while the others go on.
      if (errors.every((error) => error === undefined)) throw error;
    }
    return errors.some((error) => error !== undefined);
  };
  if (ahead && failed(states.map((state, rank) => method.ahead!(state, contexts[rank]!)))) return errors;
  if (failed(states.map((state, rank) => method.reduce(gradients[rank]!, state, contexts[rank]!)))) return errors;
  return undefined;
}

/** As {@linkcode tryTogether}. @throws what the first rank that fails has thrown */
export function stepTogether<S extends State>(
  method: Method<S>,
  states: readonly S[],
  gradients: readonly Float32Array[],
  how: StepTogether,
): void {
  const errors = tryTogether(method, states, gradients, how);
  if (errors) throw errors.find((error) => error !== undefined);
}
