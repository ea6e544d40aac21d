/** Convex problems in lockstep: the same methods that train networks, where the optimum is known. @module */

import { EigenvalueDecomposition, Matrix, solve } from "ml-matrix";
import { choose, fold, type Key, key } from "../random.ts";
import {
  type BlockingCollective,
  encodedBytes,
  type Exchange,
  type GradientPart,
  runBlocking,
  runTogether,
} from "../transport/round.ts";
import { checkKnown } from "../transport/known.ts";
import type { Rows } from "./libsvm.ts";
import { type Constants, context, type Reducer, type State, type Workspace, workspace } from "./reducer.ts";
import { addScaled } from "./vector.ts";

export type { BlockingCollective, Traffic } from "../transport/round.ts";

/** f(x) = (1/n) Σ fᵢ(x), one fᵢ a rank. */
export interface Problem {
  /** d, n, L, μ and the like, of which step sizes are made. */
  readonly constants: Constants;
  /** f(at). */
  loss(at: Float32Array): number;
  /** into := ∇fᵢ(at) for i = rank, or the mean gradient of the given terms of fᵢ, where it is a mean of terms. */
  gradient(rank: number, at: Float32Array, into: Float32Array, terms?: Uint32Array): void;
  /** How many terms fᵢ is a mean of; 1 where it is not a finite sum. */
  terms(rank: number): number;
  /** x*, where it is unique: solved to double precision when first asked for. */
  readonly minimiser: Float64Array;
}

/**
 * fᵢ(x) = ½ (x − bᵢ)ᵀ Aᵢ (x − bᵢ) with symmetric Aᵢ, given as rows.
 *
 * @example
 * ```ts
 * import { quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1]], b: [0] }, { a: [[3]], b: [4] }]);
 * console.assert(Math.abs(problem.minimiser[0]! - 3) < 1e-12 && problem.constants.largestSmoothness === 3);
 * ```
 */
export function quadratic(
  parts: readonly { readonly a: readonly (readonly number[])[]; readonly b: readonly number[] }[],
): Problem {
  const size = parts[0]!.b.length, ranks = parts.length;
  const matrices = parts.map(({ a }) => new Matrix(a.map((row) => [...row])));
  let sum = Matrix.zeros(size, size), right = Matrix.zeros(size, 1);
  parts.forEach(({ b }, i) => {
    sum = Matrix.add(sum, matrices[i]!);
    right = Matrix.add(right, matrices[i]!.mmul(Matrix.columnVector([...b])));
  });
  return {
    constants: constantsOf(matrices, Matrix.mul(sum, 1 / ranks)),
    terms: () => 1,
    loss: (at) =>
      parts.reduce((total, { a, b }) => {
        const x = b.map((value, j) => at[j]! - value);
        return total + a.reduce((s, row, j) => s + x[j]! * row.reduce((t, v, k) => t + v * x[k]!, 0), 0) / 2;
      }, 0) / ranks,
    gradient(rank, at, into) {
      const { a, b } = parts[rank]!;
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += a[j]![k]! * (at[k]! - b[k]!);
        into[j] = sum;
      }
    },
    get minimiser(): Float64Array {
      return Float64Array.from(solve(sum, right).to1DArray());
    },
  };
}

/** How the rows of a data set are given to the ranks. */
export interface SplitOptions {
  /** n, the number of ranks. Default 1. */
  readonly ranks?: number;
  /** "rows": in turn, so that all ranks see the same mix (default); "label": sorted by label, so that they differ. */
  readonly by?: "rows" | "label";
  /** λ of the term (λ/2)‖x‖². Default 0. */
  readonly lambda?: number;
}

/** Ridge regression: fᵢ is the mean over rank i's rows of ½ (aᵀx − label)², plus (λ/2)‖x‖². */
export function ridge(rows: Rows, options: SplitOptions = {}): Problem {
  return linear(rows, options, {
    curvature: 1,
    loss: (z, label) => (z - label) ** 2 / 2,
    slope: (z, label) => z - label,
    bend: () => 1,
  });
}

/** Logistic regression on labels ±1: fᵢ is the mean over rank i's rows of log(1 + exp(−label aᵀx)), plus (λ/2)‖x‖². */
export function logistic(rows: Rows, options: SplitOptions = {}): Problem {
  const low = rows.labels.reduce((a, b) => Math.min(a, b)), sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  // Data sets write their two classes as -1/+1, 0/1, 1/2 or 2/4.
  const signed = { ...rows, labels: rows.labels.map((label) => label === low ? -1 : 1) };
  return linear(signed, options, {
    curvature: 1 / 4,
    loss: (z, label) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(0, -label * z),
    slope: (z, label) => -label * sigmoid(-label * z),
    bend: (z) => sigmoid(z) * sigmoid(-z),
  });
}

/** φ(z, label) of a linear model, its first two derivatives in z, and the supremum of the second. */
interface Scalar {
  readonly curvature: number;
  loss(z: number, label: number): number;
  slope(z: number, label: number): number;
  bend(z: number, label: number): number;
}

function linear(rows: Rows, { ranks = 1, by = "rows", lambda = 0 }: SplitOptions, scalar: Scalar): Problem {
  const { features: size, labels, starts, indices, values } = rows;
  if (!(Number.isInteger(ranks) && 1 <= ranks && ranks <= labels.length)) {
    throw new RangeError(
      `Cannot split ${labels.length} rows: ranks is ${ranks}, expected an integer from 1 to ${labels.length}`,
    );
  }
  const order = Uint32Array.from(labels.keys());
  if (by === "label") order.sort((i, j) => labels[i]! - labels[j]! || i - j);
  const parts = Array.from(
    { length: ranks },
    (_, rank) =>
      by === "label"
        ? order.subarray(Math.floor(rank * order.length / ranks), Math.floor((rank + 1) * order.length / ranks))
        : order.filter((_, i) => i % ranks === rank),
  );

  const product = (row: number, at: ArrayLike<number>) => {
    let z = 0;
    for (let e = starts[row]!; e < starts[row + 1]!; e++) z += values[e]! * at[indices[e]!]!;
    return z;
  };
  const sum = new Float64Array(size);
  const addGradient = (rank: number, at: ArrayLike<number>, terms?: Uint32Array) => {
    const part = parts[rank]!, count = terms?.length ?? part.length;
    sum.fill(0);
    for (let t = 0; t < count; t++) {
      const row = part[terms ? terms[t]! : t]!, slope = scalar.slope(product(row, at), labels[row]!) / count;
      for (let e = starts[row]!; e < starts[row + 1]!; e++) sum[indices[e]!]! += slope * values[e]!;
    }
    for (let j = 0; j < size; j++) sum[j]! += lambda * at[j]!;
    return sum;
  };
  /** (1/mᵢ) Σ weight(row) a aᵀ + λ I. */
  const gram = (rank: number, weight: (row: number) => number) => {
    const matrix = Matrix.mul(Matrix.eye(size), lambda), part = parts[rank]!;
    for (const row of part) {
      const w = weight(row) / part.length;
      for (let e = starts[row]!; e < starts[row + 1]!; e++) {
        for (let g = starts[row]!; g < starts[row + 1]!; g++) {
          matrix.set(indices[e]!, indices[g]!, matrix.get(indices[e]!, indices[g]!) + w * values[e]! * values[g]!);
        }
      }
    }
    return matrix;
  };
  const mean = (matrices: Matrix[]) => Matrix.mul(matrices.reduce((a, b) => Matrix.add(a, b)), 1 / ranks);
  const grams = parts.map((_, rank) => gram(rank, () => scalar.curvature));
  const constants = constantsOf(grams, mean(grams), scalar.curvature === 1 ? undefined : lambda);
  let minimiser: Float64Array | undefined;
  return {
    constants: { ...constants, terms: Math.max(...parts.map(({ length }) => length)) },
    terms: (rank) => parts[rank]!.length,
    loss: (at) =>
      parts.reduce((total, part) => {
        let loss = 0;
        for (const row of part) loss += scalar.loss(product(row, at), labels[row]!);
        return total + loss / part.length / ranks;
      }, lambda / 2 * at.reduce((s, v) => s + v * v, 0)),
    gradient: (rank, at, into, terms) => into.set(addGradient(rank, at, terms)),
    get minimiser(): Float64Array {
      if (minimiser === undefined) {
        // Newton's method; one step for ridge regression. Halved while it overshoots.
        const x = new Float64Array(size), whole = new Float64Array(size);
        const slopeAt = (at: Float64Array) => {
          whole.fill(0);
          for (let rank = 0; rank < ranks; rank++) addGradient(rank, at).forEach((v, j) => whole[j]! += v / ranks);
          return Math.hypot(...whole);
        };
        for (let norm = slopeAt(x), turn = 0; norm > 1e-14 && turn < 100; turn++) {
          const hessian = mean(parts.map((_, rank) => gram(rank, (row) => scalar.bend(product(row, x), labels[row]!))));
          const move = solve(hessian, Matrix.columnVector([...whole])).to1DArray();
          let share = 1, next = x.map((v, j) => v - move[j]!), after = slopeAt(next);
          while (after > norm && share > 1e-6) {
            share /= 2, next = x.map((v, j) => v - share * move[j]!), after = slopeAt(next);
          }
          if (!(after < norm)) break;
          x.set(next), norm = after;
        }
        minimiser = x;
      }
      return minimiser;
    },
  };
}

function constantsOf(hessians: readonly Matrix[], mean: Matrix, convexity?: number): Constants {
  const spectrum = (matrix: Matrix) => new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues;
  const largest = hessians.map((hessian) => Math.max(...spectrum(hessian))), all = spectrum(mean);
  return {
    size: mean.rows,
    ranks: hessians.length,
    smoothness: Math.max(...all),
    largestSmoothness: Math.max(...largest),
    meanSquareSmoothness: Math.sqrt(largest.reduce((s, l) => s + l * l, 0) / largest.length),
    convexity: convexity ?? Math.max(0, Math.min(...all)),
  };
}

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
  /** Real ranks: this process plays the group's rank, and the problem must have group.size ranks. Default: simulated. */
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
export function minimise(problem: Problem, reducer: Reducer, options: MinimiseOptions): Minimised {
  checkKnown("minimise", options, known);
  const { rounds, seed = 0, multiplier = 1, batch, prox, every = 1, group, onProgress } = options;
  const { size, ranks } = problem.constants;
  const step = multiplier * (options.step ?? reducer.stepSize?.(problem.constants) ?? NaN);
  if (!(step > 0)) {
    throw new RangeError(`Cannot minimise with ${reducer.name}: the step size is ${step}, expected a positive number`);
  }
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
    state: reducer.init(layout, ranks),
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
      const now = context({ seed, step: round, rank, size: ranks, workspace, parameters, learningRate: step });
      return metered(reducer.reduce(node.gradient, node.state, now), node);
    });
    if (group) runBlocking(exchanges[0]!, group, oracles[0]);
    else runTogether(exchanges, oracles);
    for (const { x, gradient } of nodes) {
      if (reducer.yields === "parameters") x.set(gradient);
      else addScaled(x, reducer.yields === "step" ? -1 : -step, gradient);
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
  return choose(fold(fold(fold(seed, 0x7e4), round), rank), Math.min(batch, terms), terms);
}

/** The exchange, with the bytes of its messages added to the node's. */
function* metered(exchange: Exchange, node: Node): Exchange {
  let next = exchange.next([]);
  try {
    while (!next.done) {
      node.bytes += encodedBytes(next.value, node.rank);
      next = exchange.next(yield next.value);
    }
  } finally {
    exchange.return();
  }
}
