/** Runs a method on given or drawn gradients, all ranks in lockstep; and compressors small enough to know by heart. */

import { assertEquals } from "@std/assert/mod.js";
import type { ContractiveCompressor, UnbiasedCompressor } from "../../compressors/mod.ts";
import { type Context, type Layout, type Method, type State, workspace } from "../../optimizers/mod.ts";
import { choose, fold, type Key, key, normal } from "../../random.ts";
import { stepTogether } from "../../testing/step_together.ts";
import type { GradientOracle } from "../../transport/mod.ts";

/** A method under way. */
export interface Lockstep<S extends State> {
  readonly states: S[];
  /** What the next step is given, one a rank: drawn anew after each step, or what the caller writes here. */
  readonly gradients: Float32Array[];
  /** One step: the estimate, which all ranks agree on. */
  step(extra?: Partial<Context>, oracles?: readonly GradientOracle[]): Float32Array;
  /** One step with a context for each rank: what each ends with. */
  stepEach(extras: readonly Partial<Context>[], oracles?: readonly GradientOracle[]): Float32Array[];
}

/** A method on `ranks` ranks with normal gradients: of a model of this layout, or of one tensor of `size` numbers. */
export function lockstep<S extends State>(
  method: Method<S>,
  { ranks, size = 0, layout = { names: ["x"], shapes: [[size]], size }, seed = 1 }: {
    readonly ranks: number;
    readonly size?: number;
    readonly layout?: Layout;
    readonly seed?: number;
  },
): Lockstep<S> {
  const states = Array.from({ length: ranks }, () => method.init(layout, ranks));
  const workspaces = states.map(workspace), gradients = states.map(() => new Float32Array(layout.size));
  const draw = (step: number) => gradients.forEach((g, rank) => normal(fold(fold(key(seed + 1000), step), rank), g));
  let step = 0;
  draw(0);
  const stepEach = (extras: readonly Partial<Context>[], oracles: readonly GradientOracle[] = []) => {
    const facts = (rank: number) => extras[rank]!;
    stepTogether(method, states, gradients, { seed, step, layout, workspaces, facts, oracles });
    const results = gradients.map((gradient) => gradient.slice());
    draw(++step);
    return results;
  };
  return {
    states,
    gradients,
    stepEach,
    step(extra = {}, oracles = []) {
      const results = stepEach(states.map(() => extra), oracles);
      for (const result of results) assertEquals(result, results[0]);
      return results[0]!;
    },
  };
}

/** Top-k, as (index, value) pairs. */
export function top(k: number): ContractiveCompressor {
  return {
    name: "top",
    options: { k },
    everyDraw: true,
    alpha: (size) => Math.max(0, 1 - k / size),
    maxByteLength: (size) => 8 * Math.min(k, size),
    encode(vector, _key, message) {
      const order = [...vector.keys()].sort((i, j) => Math.abs(vector[j]!) - Math.abs(vector[i]!) || i - j).slice(0, k);
      const view = new DataView(message.buffer, message.byteOffset);
      order.forEach((at, i) => (view.setUint32(8 * i, at, true), view.setFloat32(8 * i + 4, vector[at]!, true)));
      return 8 * order.length;
    },
    decodeAdd(message, _key, scale, into) {
      const view = new DataView(message.buffer, message.byteOffset);
      for (let i = 0; i < message.length; i += 8) {
        into[view.getUint32(i, true)]! += scale * view.getFloat32(i + 4, true);
      }
    },
  };
}

/** Rand-k: k random entries times d/k; the indices are drawn from the key. ω = d/k − 1. */
export function rand(k: number): UnbiasedCompressor {
  // All simulated ranks decode the same messages: the index sets drawn last are kept (a pure function's memory).
  const keys = new Int32Array(64 * 3), sets: Uint32Array[] = [];
  let next = 0;
  const chosen = ([high, low]: Key, size: number): Uint32Array => {
    for (let i = 0; i < sets.length; i++) {
      if (keys[3 * i] === high && keys[3 * i + 1] === low && keys[3 * i + 2] === size) return sets[i]!;
    }
    const set = choose([high, low], Math.min(k, size), size);
    keys.set([high, low, size], 3 * next), sets[next] = set, next = (next + 1) % 64;
    return set;
  };
  const bytes = new Uint8Array(4 * k), values = new Float32Array(bytes.buffer);
  return {
    name: "rand",
    options: { k },
    omega: (size) => Math.max(0, size / k - 1),
    maxByteLength: (size) => 4 * Math.min(k, size),
    encode(vector, key, message) {
      const set = chosen(key, vector.length);
      for (let i = 0; i < set.length; i++) values[i] = vector[set[i]!]!;
      message.set(bytes.subarray(0, 4 * set.length));
      return 4 * set.length;
    },
    decodeAdd(message, key, scale, into) {
      const set = chosen(key, into.length), factor = scale * into.length / set.length;
      bytes.set(message);
      for (let i = 0; i < set.length; i++) into[set[i]!]! += factor * values[i]!;
    },
  };
}

/** Top-1. */
export const sparsest = (): ContractiveCompressor => top(1);

/** Rand-1. */
export const anyOne = (): UnbiasedCompressor => rand(1);
