/** The conformance suite of methods. @module */

import type { ContractiveCompressor, UnbiasedCompressor } from "../compressors/compressor.ts";
import { identity } from "../compressors/identity.ts";
import {
  context,
  type Layout,
  type Method,
  type State,
  type Vector,
  type Vectors,
  type Workspace,
} from "../optimizers/methods/method.ts";
import { keyFor } from "../optimizers/methods/keys.ts";
import { fold, key, normal } from "../random.ts";
import { type Exchange, type GradientOracle, performTogether, type Round, type WireRound } from "../transport/round.ts";
import { type ExtremeRun, extremes, rates, takeExtremeSteps } from "./extremes.ts";
import { type Property, withoutMathRandom } from "./property.ts";

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
 * - the ranks perform the same rounds and end with the same bits, in the estimate and in the shared state, for each number
 *   of ranks; also where there are fewer parameters than ranks; the parameters handed in are not modified;
 * - all zeros stay finite, and the shared state equal; nothing calls Math.random or replaces it;
 * - gradients at the ends of float32, and learning rates that vanish and come back, leave results and states finite, or all
 *   ranks refuse the step with the same words and their states as they were; with `identity()` and the same large gradient
 *   on all ranks, whose mean is finite, none refuses (`average`);
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
  const run = (n: number, more: Partial<RunOptions> = {}, method = make()) =>
    new Run(method, { ranks: n, layout, seed, rate, ...more });
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
              same(group.results[rank]!, group.results[0]!, `step ${step}: the results of ranks ${rank} and 0`);
              same(
                group.parameters[rank]!,
                group.parameters[0]!,
                `step ${step}: the parameters of ranks ${rank} and 0`,
              );
            }
            sameVectors(
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
          sameVectors(shared, group.states[0]!.shared, `step ${step}: shared, ranks 0 and another`);
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
          const before = group.states.map(copy);
          let failed = false;
          try {
            group.step(at);
          } catch (error) {
            if (!(error instanceof Interruption)) throw error;
            failed = true;
          }
          if (!failed) throw new Error(`step ${step}: round ${at} failed, and the step went on`);
          group.states.forEach((state, rank) => sameState(state, before[rank]!, `step ${step}, failed round ${at}`));
        }
        group.step();
        group.states.forEach((state, rank) => sameState(state, whole.states[rank]!, `step ${step}, taken again`));
        group.results.forEach((result, rank) =>
          same(result, whole.results[rank]!, `step ${step}, taken again: results`)
        );
      }
    });

    property(`going on from a copy of the state gives the same bits on ${n} ranks`, () => {
      const whole = run(n), method = make(), other = run(n, { seed: seed + 1 }, method);
      let group = run(n, {}, method);
      for (let step = 0; step < steps; step++) {
        whole.step();
        // A driver may exchange ahead in any step. A method that remembers something itself mixes up two models that share it.
        other.step();
        group.step(Infinity, step % 2 === 1);
        group.results.forEach((result, rank) => same(result, whole.results[rank]!, `step ${step}: results`));
        group.states.forEach((state, rank) => sameState(state, whole.states[rank]!, `step ${step}`));
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

interface RunOptions {
  readonly ranks: number;
  readonly layout: Layout;
  readonly seed: number;
  readonly rate: number;
  /** Gradients of the quadratic with noise (default) or without, or zeros. */
  readonly gradients?: "noisy" | "full" | "zero";
  /** Go on where another run stands, from copies. */
  readonly from?: Run;
}

class Interruption extends Error {}

/** A method under way on fᵢ(x) = ½ Σⱼ aᵢⱼ (xⱼ − bᵢⱼ)², all ranks in lockstep. */
class Run {
  readonly method: Method;
  readonly options: RunOptions;
  readonly states: State[];
  readonly parameters: Float32Array[];
  /** What the step left in each rank's gradient. */
  results: Float32Array[] = [];
  /** The gradients that it was given. */
  given: Float32Array[] = [];
  /** Rounds and gradients that the step asked for. */
  performed = 0;
  #step = 0;
  readonly #a: Float32Array[];
  readonly #b: Float32Array[];

  constructor(method: Method, options: RunOptions) {
    this.method = method;
    this.options = options;
    const { ranks, layout, from, seed } = options, { size } = layout;
    const each = Array.from({ length: ranks }, (_, rank) => rank);
    this.states = each.map((rank) => from ? copy(from.states[rank]!) : method.init(layout, ranks));
    this.parameters = each.map((rank) => from ? from.parameters[rank]!.slice() : new Float32Array(size));
    this.#step = from ? from.#step : 0;
    const draw = (what: number) =>
      each.map((rank) => normal(fold(fold(keyFor(key(seed), "testing"), what), rank), new Float32Array(size)));
    this.#a = draw(1).map((a) => a.map((v) => .6 + Math.min(3, v * v)));
    this.#b = draw(2).map((b) => b.map((v) => 3 * v));
  }

  /** ‖x − x*‖². */
  get distance(): number {
    let distance = 0;
    for (let j = 0; j < this.options.layout.size; j++) {
      const a = this.#a.reduce((sum, a) => sum + a[j]!, 0);
      const optimum = this.#a.reduce((sum, a, rank) => sum + a[j]! * this.#b[rank]![j]!, 0) / a;
      const x = this.parameters.reduce((sum, x) => sum + x[j]!, 0) / this.parameters.length;
      distance += (x - optimum) ** 2;
    }
    return distance;
  }

  /** One step of all ranks; the round or gradient with this number fails. With `early`, what can is exchanged ahead. */
  step(failAt = Infinity, early = false): void {
    const { ranks, layout: { size }, seed, rate, gradients = "noisy" } = this.options, step = this.#step;
    const oracle = (rank: number): GradientOracle => (at, into, of) => {
      const noise = normal(fold(fold(fold(keyFor(key(seed), "testing"), 3), step), rank), new Float32Array(size));
      for (let j = 0; j < size; j++) {
        into[j] = gradients === "zero" ? 0 : this.#a[rank]![j]! * (at[j]! - this.#b[rank]![j]!);
        if (typeof of === "number") into[j]! += gradients === "zero" ? 0 : of % 2 === 0 ? .1 : -.1;
        else if (of !== "all" && gradients === "noisy") into[j]! += noise[j]!;
      }
    };
    const oracles = this.states.map((_, rank) => oracle(rank));
    const before = this.parameters.map((x) => x.slice());
    const vectors = before.map((at, rank) => {
      const vector = new Float32Array(size);
      oracles[rank]!(at, vector, "batch");
      return vector;
    });
    this.given = vectors.map((vector) => vector.slice());
    this.performed = 0;
    const ahead = early && this.method.ahead !== undefined; // as a driver tells
    const contexts = this.states.map((_, rank) => {
      const parameters = this.parameters[rank]!, workspace = forgetfulWorkspace();
      return context({ seed, step, rank, size: ranks, learningRate: rate, parameters, workspace, early: ahead });
    });
    const observe = () => {
      if (this.performed++ === failAt) throw new Interruption();
    };
    if (early) {
      const ahead = this.states.map((state, rank) => this.method.ahead?.(state, contexts[rank]!));
      lockstep(ahead.filter((exchange) => exchange !== undefined), oracles, observe);
    }
    const exchanges = vectors.map((vector, rank) => this.method.reduce(vector, this.states[rank]!, contexts[rank]!));
    lockstep(exchanges, oracles, observe);
    this.results = vectors;
    this.parameters.forEach((x, rank) => {
      same(x, before[rank]!, `step ${step}: the parameters that rank ${rank} was given, now and before`);
      const result = vectors[rank]!, kind = this.method.yields ?? "gradient";
      for (let j = 0; j < size; j++) {
        if (!Number.isFinite(result[j]!)) throw new Error(`step ${step}: number ${j} of the result is ${result[j]}`);
        if (kind === "parameters") x[j] = result[j]!;
        else x[j]! -= (kind === "step" ? 1 : rate) * result[j]!;
      }
    });
    this.#step++;
  }
}

/** Answers all ranks' rounds; overwrites what a round was answered with when the next one begins. */
function lockstep(exchanges: readonly Exchange[], oracles: readonly GradientOracle[], observe: () => void): void {
  let replies: (readonly Uint8Array[])[] = exchanges.map(() => []), started = replies;
  try {
    for (;;) {
      const asked = exchanges.map((exchange, rank) => {
        let next = exchange.next(replies[rank]!);
        while (!next.done && next.value.op === "gradient") {
          const { at, into, of } = next.value as Extract<Round, { op: "gradient" }>;
          if (rank === 0) observe();
          oracles[rank]!(at, into, of);
          next = exchange.next([]);
        }
        return next;
      });
      const ended = asked.filter(({ done }) => done).length;
      if (ended === asked.length) return;
      if (ended > 0) throw new Error(`${ended} of ${asked.length} ranks ended while the others asked for a round`);
      observe();
      const rounds = asked.map(({ value }) => value as Round);
      if (rounds.every(({ op }) => op === "finish")) {
        replies = started;
        continue;
      }
      const starts = rounds.every((round) => round.op === "start") ? rounds.map(({ round }) => round) : undefined;
      const wire = starts ?? rounds as WireRound[], answers = performTogether(wire);
      replies.forEach((reply, rank) => reply.forEach((bytes, r) => r === rank || bytes.fill(0xa5)));
      // A rank's own message comes back as it is, in the method's own memory: some groups do that.
      replies = answers.map((reply, rank) => {
        const round = wire[rank]!, own = round.op === "allGather" ? round.message : undefined;
        return reply.map((bytes, r) => r === rank && own ? own : bytes.slice());
      });
      if (starts) started = replies, replies = exchanges.map(() => []);
    }
  } catch (error) {
    for (const exchange of exchanges) exchange.return();
    throw error;
  }
}

/** A workspace whose memory holds no useful value when it is first asked for. */
function forgetfulWorkspace(): Workspace {
  const slots = new Map<string, ArrayBuffer>();
  const memory = (slot: string, bytes: number) => {
    let memory = slots.get(slot);
    if (memory === undefined || memory.byteLength < bytes) {
      memory = new Uint8Array(bytes).fill(0xff).buffer;
      slots.set(slot, memory);
    }
    return memory;
  };
  return {
    bytes: (slot, length) => new Uint8Array(memory(`bytes ${slot}`, length), 0, length),
    floats: (slot, length) => new Float32Array(memory(`floats ${slot}`, 4 * length), 0, length),
    doubles: (slot, length) => new Float64Array(memory(`doubles ${slot}`, 8 * length), 0, length),
  };
}

function copy({ local, shared }: State): State {
  const vectors = (record: Vectors) => Object.fromEntries(Object.entries(record).map(([k, v]) => [k, v.slice()]));
  return { local: vectors(local), shared: vectors(shared) };
}

function sameState(one: State, other: State, what: string): void {
  sameVectors(one.local, other.local, `${what}: local`);
  sameVectors(one.shared, other.shared, `${what}: shared`);
}

function sameVectors(one: Vectors, other: Vectors, what: string): void {
  const names = Object.keys(one).sort();
  if (names.join() !== Object.keys(other).sort().join()) throw new Error(`${what}: the states have different vectors`);
  for (const name of names) same(one[name]!, other[name]!, `${what} ${name}`);
}

function same(one: Vector, other: Vector, what: string): void {
  const differs = one.length !== other.length || one.findIndex((v, j) => !Object.is(v, other[j])) >= 0;
  if (!differs) return;
  const j = one.findIndex((v, j) => !Object.is(v, other[j]));
  throw new Error(`${what} differ: number ${j} is ${one[j]} and ${other[j]}`);
}
