/** Descent on convex problems by a method, on simulated ranks or as one rank of a group. @module */

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
  /** The most rounds. A round is a step of the method. */
  readonly rounds: number;
  /** The starting point x⁰. Default: zeros. */
  readonly start?: Float32Array;
  /** The step size γ. Default: what the method's theory says for the problem's constants. */
  readonly step?: number;
  /** Multiplies the step size. Default 1. */
  readonly multiplier?: number;
  /** Where all randomness comes from. Default 0. */
  readonly seed?: number;
  /** How many terms a rank draws in a step, uniformly without replacement. Default: all of them, the full gradient. */
  readonly batch?: number;
  /** The optimum x*, from which the error is measured. Default: the problem's. */
  readonly minimiser?: ArrayLike<number>;
  /** The run ends when ‖x − x*‖² / ‖x⁰ − x*‖² has fallen to this. */
  readonly error?: number;
  /** The run ends when a rank has encoded this many bytes. */
  readonly bytes?: number;
  /** Called after each step with x and γ: x := prox_{γR}(x), in place, for a regulariser R. */
  readonly prox?: (x: Float32Array, step: number) => void;
  /** Rounds between two entries of the history. Default 1. */
  readonly every?: number;
  /** A group of as many ranks as the problem has, of which this process is one. Default: ranks are simulated here. */
  readonly group?: BlockingCollective;
  /** Told every entry of the history as it is made. */
  readonly onProgress?: (entry: Progress) => void;
}

/** A run ends when its error exceeds this: soon its numbers would exceed float32, which compressors refuse. */
const DIVERGED = 1e20;

/** Where a run stands after some rounds. */
export interface Progress {
  /** Rounds so far. */
  readonly round: number;
  /** Bytes that one rank has encoded so far; of simulated ranks the mean. */
  readonly bytes: number;
  /** ‖x − x*‖² / ‖x⁰ − x*‖². */
  readonly error: number;
}

/** What `minimise` found. */
export interface Minimised extends Progress {
  /** x, the mean over ranks where they differ. */
  readonly parameters: Float32Array;
  /** How the run went, from round 0 on. */
  readonly history: readonly Progress[];
  /** Whether `error` was asked for and reached. */
  readonly reached: boolean;
  /** The step size γ. */
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
 * Minimises f(x) = (1/n) Σ fᵢ(x) by x ← prox(x − γ g), where g is what the method makes of the gradients of the n
 * ranks, or by the method's own step. All ranks run in this thread in lockstep; or this process is one rank of a group.
 *
 * Bytes are exact: they are the lengths of the messages that the method yields. A run that diverges ends when its error
 * exceeds 1e20.
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
  // Theory is asked even if a step size is given: it refuses problems that the method is not made for.
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

/** Refuses options with which a run would not move, would not end, or would measure something else. */
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

/** One rank of a run. */
interface Node {
  readonly rank: number;
  readonly x: Float32Array;
  readonly gradient: Float32Array;
  readonly state: State;
  readonly workspace: Workspace;
  bytes: number;
}

/** The mean of the ranks' x, which are equal except between the exchanges of a local method. */
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
