/** Runs a method on given or drawn gradients, all ranks in lockstep; and compressors small enough to know by heart. */

import { assertEquals } from "@std/assert/mod.js";
import type { ContractiveCompressor, UnbiasedCompressor } from "../../compressors/mod.ts";
import { type Context, context, type Reducer, type State, workspace } from "../../optimizers/mod.ts";
import { bits, fold, key, normal } from "../../random.ts";
import { type GradientOracle, runTogether } from "../../transport/mod.ts";

/** A method under way. */
export interface Lockstep<S extends State> {
  readonly states: S[];
  /** What the next step is given, one a rank: drawn anew after each step, or what the caller writes here. */
  readonly gradients: Float32Array[];
  /** One step: the estimate, which all ranks agree on. */
  step(extra?: Partial<Context>, oracles?: readonly GradientOracle[]): Float32Array;
}

/** A method on `ranks` ranks with normal gradients of `size` numbers. */
export function lockstep<S extends State>(
  reducer: Reducer<S>,
  { ranks, size, seed = 1 }: { readonly ranks: number; readonly size: number; readonly seed?: number },
): Lockstep<S> {
  const layout = { names: ["x"], shapes: [[size]], size };
  const states = Array.from({ length: ranks }, () => reducer.init(layout));
  const workspaces = states.map(() => workspace()), gradients = states.map(() => new Float32Array(size));
  const draw = (step: number) => gradients.forEach((g, rank) => normal(fold(fold(key(seed + 1000), step), rank), g));
  let step = 0;
  draw(0);
  return {
    states,
    gradients,
    step(extra = {}, oracles = []) {
      runTogether(
        gradients.map((gradient, rank) =>
          reducer.reduce(
            gradient,
            states[rank]!,
            { ...context({ seed, step, rank, size: ranks, workspace: workspaces[rank]! }), ...extra },
          )
        ),
        oracles,
      );
      const estimate = gradients[0]!.slice();
      for (const gradient of gradients) assertEquals(gradient, estimate);
      draw(++step);
      return estimate;
    },
  };
}

/** Top-1: the entry of largest magnitude and its index. */
export function sparsest(): ContractiveCompressor {
  return {
    name: "sparsest",
    options: {},
    everyDraw: true,
    alpha: (size) => 1 - 1 / size,
    maxByteLength: () => 8,
    encode(vector, _key, message) {
      const at = vector.reduce((best, v, i) => Math.abs(v) > Math.abs(vector[best]!) ? i : best, 0);
      const view = new DataView(message.buffer, message.byteOffset);
      view.setUint32(0, at, true), view.setFloat32(4, vector[at]!, true);
      return 8;
    },
    decodeAdd(message, _key, scale, into) {
      const view = new DataView(message.buffer, message.byteOffset);
      into[view.getUint32(0, true)]! += scale * view.getFloat32(4, true);
    },
  };
}

/** Rand-1: a random entry times d; its index is drawn from the key. ω = d − 1. */
export function anyOne(): UnbiasedCompressor {
  const word = new Uint32Array(1), at = (key: readonly [number, number], size: number) => bits(key, word)[0]! % size;
  return {
    name: "anyOne",
    options: {},
    omega: (size) => size - 1,
    maxByteLength: () => 4,
    encode(vector, key, message) {
      new DataView(message.buffer, message.byteOffset).setFloat32(0, vector[at(key, vector.length)]!, true);
      return 4;
    },
    decodeAdd(message, key, scale, into) {
      const value = new DataView(message.buffer, message.byteOffset).getFloat32(0, true);
      into[at(key, into.length)]! += scale * into.length * value;
    },
  };
}
