/** Methods on problems, all ranks in lockstep or one rank of a group. @module */

import { checkOptions, show } from "../../options.ts";
import { choose, fold, type Key, key } from "../../random.ts";
import { type BlockingCollective, type Exchange, type GradientPart, relay } from "../../transport/round.ts";
import { encodedBytes } from "../../transport/ops.ts";
import { runBlocking, runTogether } from "../../transport/drivers.ts";
import { requireMethod } from "../methods/check_method.ts";
import { keyFor } from "../methods/keys.ts";
import type { Problem } from "./problem.ts";
import { context } from "../methods/context.ts";
import type { Method, State, Workspace } from "../methods/method.ts";
import { workspace } from "../methods/workspace.ts";
import { addScaled } from "../methods/parts/vector.ts";

export type { BlockingCollective, Traffic } from "../../transport/round.ts";

/** How `minimise` runs. */
export interface MinimiseOptions {
  /** The most rounds (steps of the method). */
  readonly rounds: number;
  /** x⁰. Default: zeros. */
  readonly start?: Float32Array;
  /** γ. Default: the method's theory step size for the problem's constants. */
  readonly step?: number;
  /** Multiplies the step size. Default 1. */
  readonly multiplier?: number;
  /** Where all randomness comes from. Default 0. */
  readonly seed?: number;
  /** Terms drawn per rank and step, uniformly without replacement. Default: all, the full gradient. */
  readonly batch?: number;
  /** x*, for the error. Default: the problem's. */
  readonly minimiser?: ArrayLike<number>;
  /** Stop when ‖x − x*‖² / ‖x⁰ − x*‖² has fallen to this. */
  readonly error?: number;
  /** Stop when a rank has sent this many bytes. */
  readonly bytes?: number;
  /** x := prox_{γR}(x), in place, after each step: the regulariser of proximal methods. */
  readonly prox?: (x: Float32Array, step: number) => void;
  /** Rounds between two entries of the history. Default 1. */
  readonly every?: number;
  /**
   * Real ranks: this process plays the group's rank, and the problem must have group.size ranks. Default: simulated.
   */
  readonly group?: BlockingCollective;
  /** Told every entry of the history as it is made. */
  readonly onProgress?: (entry: Progress) => void;
}

/** A run that is this far off is over: soon its numbers would exceed float32, which compressors refuse. */
const DIVERGED = 1e20;

/** Where a run stands after some rounds. */
export interface Progress {
  /** Rounds so far. */
  readonly round: number;
  /** Encoded by one rank so far (the mean over simulated ranks). */
  readonly bytes: number;
  /** ‖x − x*‖² / ‖x⁰ − x*‖². */
  readonly error: number;
}

/** What `minimise` found. */
export interface Minimised extends Progress {
  /** x, the mean over ranks where they differ. */
  readonly parameters: Float32Array;
  /** The run, from round 0 on. */
  readonly history: readonly Progress[];
  /** Whether `error` was asked for and reached. */
  readonly reached: boolean;
  /** γ. */
  readonly step: number;
}

/** Accepted by `minimise`. */
const known: readonly (keyof MinimiseOptions)[] = [
  "rounds",
  "start",
  "step",
  "multiplier",
  "seed",
  "batch",
  "minimiser",
  "error",
  "bytes",
  "prox",
  "every",
  "group",
  "onProgress",
];

/**
 * Minimises f(x) = (1/n) Σ fᵢ(x) by x ← prox(x − γ g), where g is what the method makes of the ranks' gradients, or by
 * the method's own step. All ranks run in this thread in lockstep, or this process is one of a group's.
 *
 * Bytes are exact: the lengths of the messages that the method yields. A run that diverges ends when its error is 1e20.
 *
 * @throws {RangeError} if the method states no step size and none is given, or a step size is not positive
 * @throws {TypeError} if an option is unknown
 *
 * @example
 * ```ts
 * import { average, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * const { reached, bytes, round } = minimise(problem, average(), { rounds: 100, error: 1e-6 });
 * console.assert(reached && bytes === 8 * round);
 * ```
 */
export function minimise(problem: Problem, method: Method, options: MinimiseOptions): Minimised {
  options = checkOptions("minimise", options, known);
  requireMethod("minimise", "the method", method);
  if (typeof problem?.gradient !== "function" || typeof problem.constants !== "object") {
    throw new TypeError(
      `Cannot minimise: the problem is ${show(problem)}, expected one such as ridge(rows) or quadratic(parts)`,
    );
  }
  const { rounds, seed = 0, multiplier = 1, batch, prox, every = 1, group, onProgress } = options;
  const { size, ranks } = problem.constants;
  // Theory is asked also where a step is given: it refuses problems that the method is not made for.
  const theory = method.stepSize?.(problem.constants), step = multiplier * (options.step ?? theory ?? NaN);
  checkRun(method, problem, options, step);
  if (group && group.size !== ranks) {
    throw new RangeError(`Cannot minimise: the group has ${group.size} ranks, expected the problem's ${ranks}`);
  }
  const start = options.start ?? new Float32Array(size), target = options.minimiser ?? problem.minimiser;
  const distance = (x: Float32Array) => x.reduce((sum, v, j) => sum + (v - target[j]!) ** 2, 0);
  const whole = distance(start), layout = { names: ["x"], shapes: [[size]], size };
  const nodes: Node[] = (group ? [group.rank] : Array.from({ length: ranks }, (_, rank) => rank)).map((rank) => ({
    rank,
    x: start.slice(),
    gradient: new Float32Array(size),
    state: method.init(layout, ranks),
    workspace: workspace(),
    bytes: 0,
  }));

  const history: Progress[] = [];
  let entry: Progress = { round: 0, bytes: 0, error: whole === 0 ? 0 : 1 };
  let round = 0, reached = entry.error <= (options.error ?? -1);
  const record = () => (history.push(entry), onProgress?.(entry));
  record();
  for (; round < rounds && !reached && entry.bytes < (options.bytes ?? Infinity);) {
    const oracles = nodes.map(({ rank }) => {
      const terms = batch === undefined ? undefined : drawTerms(problem, rank, batch, key(seed), round);
      return (at: Float32Array, into: Float32Array, of: GradientPart = "batch") =>
        problem.gradient(rank, at, into, of === "batch" ? terms : of === "all" ? undefined : Uint32Array.of(of));
    });
    const exchanges = nodes.map((node, i) => {
      oracles[i]!(node.x, node.gradient);
      const { rank, workspace, x: parameters } = node;
      const now = context({ seed, step: round, rank, size: ranks, layout, workspace, parameters, learningRate: step });
      return metered(method.reduce(node.gradient, node.state, now), node);
    });
    if (group) runBlocking(exchanges[0]!, group, oracles[0]);
    else runTogether(exchanges, oracles);
    for (const { x, gradient } of nodes) {
      if (method.yields === "parameters") x.set(gradient);
      else addScaled(x, method.yields === "step" ? -1 : -step, gradient);
      prox?.(x, step);
    }
    round++;
    const bytes = nodes.reduce((sum, node) => sum + node.bytes, 0) / nodes.length;
    entry = { round, bytes, error: distance(mean(nodes)) / whole };
    reached = entry.error <= (options.error ?? -1);
    if (round % every === 0 || reached || round === rounds) record();
    if (!(entry.error < DIVERGED)) break;
  }
  return { ...entry, parameters: mean(nodes), history, reached, step };
}

/** Refuses options with which a run would stand still, or go on for ever, or be about something else. */
function checkRun(method: Method, { constants }: Problem, options: MinimiseOptions, step: number): void {
  const refuse = (what: string, expected: string): never => {
    throw new RangeError(`Cannot minimise with ${method.name}: ${what}, expected ${expected}`);
  };
  if (!(step > 0 && step < Infinity)) {
    const none = options.step === undefined && !(step <= Infinity);
    refuse(
      none ? "its theory has no step size for this problem and none is given" : `the step size is ${show(step)}`,
      none ? "the option step" : "a positive number",
    );
  }
  for (const [name, least] of [["rounds", 0], ["batch", 1], ["every", 1]] as const) {
    const value = options[name];
    if (value === undefined && name !== "rounds" || Number.isSafeInteger(value) && value! >= least) continue;
    refuse(`${name} is ${show(value)}`, `an integer ≥ ${least}`);
  }
  for (const name of ["start", "minimiser"] as const) {
    const length = options[name]?.length ?? constants.size;
    if (length !== constants.size) refuse(`${name} has ${length} numbers`, `the problem's ${constants.size}`);
  }
}

interface Node {
  readonly rank: number;
  readonly x: Float32Array;
  readonly gradient: Float32Array;
  readonly state: State;
  readonly workspace: Workspace;
  bytes: number;
}

/** The mean over ranks of their x; they are equal but between the exchanges of a local method. */
function mean(nodes: readonly Node[]): Float32Array {
  return nodes.length === 1
    ? nodes[0]!.x.slice()
    : nodes[0]!.x.map((_, j) => nodes.reduce((sum, { x }) => sum + x[j]!, 0) / nodes.length);
}

function drawTerms(problem: Problem, rank: number, batch: number, seed: Key, round: number): Uint32Array {
  const terms = problem.terms(rank);
  return choose(fold(fold(keyFor(seed, "batches"), round), rank), Math.min(batch, terms), terms);
}

/** The exchange, with the bytes of its messages added to the node's. */
function metered(exchange: Exchange, node: Node): Exchange {
  return relay(exchange, function* (round) {
    node.bytes += encodedBytes(round, node.rank);
    return yield round;
  });
}
