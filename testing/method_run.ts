/** A run of a method for its conformance suite. @module */

import { keyFor } from "../optimizers/methods/keys.ts";
import type { Layout, Method, State, Workspace } from "../optimizers/methods/method.ts";
import { fold, key, normal } from "../random.ts";
import { type Exchange, type GradientOracle, relay } from "../transport/round.ts";
import { type Perform, performTogether } from "../transport/drivers.ts";
import { copyState, requireSame } from "./states.ts";
import { stepTogether } from "./step_together.ts";

/** What a run is made of. */
export interface MethodRunOptions {
  readonly ranks: number;
  readonly layout: Layout;
  readonly seed: number;
  readonly rate: number;
  /** Gradients of the quadratic with noise (default) or without, or zeros. */
  readonly gradients?: "noisy" | "full" | "zero";
  /** Go on where another run stands, from copies. */
  readonly from?: MethodRun;
}

/** Thrown in place of a round, as where a rank is lost. */
export class Interruption extends Error {}

/** A method under way on fᵢ(x) = ½ Σⱼ aᵢⱼ (xⱼ − bᵢⱼ)², all ranks in lockstep. */
export class MethodRun {
  readonly method: Method;
  readonly options: MethodRunOptions;
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

  constructor(method: Method, options: MethodRunOptions) {
    this.method = method;
    this.options = options;
    const { ranks, layout, from, seed } = options, { size } = layout;
    const each = Array.from({ length: ranks }, (_, rank) => rank);
    this.states = each.map((rank) => from ? copyState(from.states[rank]!) : method.init(layout, ranks));
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
    const { ranks, layout, seed, rate, gradients = "noisy" } = this.options, { size } = layout, step = this.#step;
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
    const observe = () => {
      if (this.performed++ === failAt) throw new Interruption();
    };
    // The last rank is asked last: then all others have come to the round.
    const through = (exchange: Exchange, rank: number) =>
      rank < ranks - 1 ? exchange : relay(exchange, function* (round) {
        observe();
        return yield round;
      });
    stepTogether(this.method, this.states, vectors, {
      ...{ seed, step, layout, oracles, early, through, perform: forgetfulGroup() },
      workspaces: this.states.map(forgetfulWorkspace),
      facts: (rank) => ({ learningRate: rate, parameters: this.parameters[rank]! }),
    });
    this.results = vectors;
    this.parameters.forEach((x, rank) => {
      requireSame(x, before[rank]!, `step ${step}: the parameters that rank ${rank} was given, now and before`);
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

/**
 * Performs rounds as a group may: what a round was answered with is overwritten when the next one begins, and a rank's
 * own message comes back as it is, in the method's own memory.
 */
function forgetfulGroup(): Perform {
  let replies: (readonly Uint8Array[])[] = [];
  return (rounds) => {
    const answers = performTogether(rounds);
    replies.forEach((reply, rank) => reply.forEach((bytes, r) => r === rank || bytes.fill(0xa5)));
    return replies = answers.map((reply, rank) => {
      const round = rounds[rank]!, own = round.op === "allGather" ? round.message : undefined;
      return reply.map((bytes, r) => r === rank && own ? own : bytes.slice());
    });
  };
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
