/** What methods that compress both ways must conserve. @module */

import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import type { Method, State } from "../../../../optimizers/mod.ts";
import { lockstep } from "../../lockstep.ts";

export const ranks = 3, size = 10;

/** Number j of the mean of the ranks' errors, plus that of the error of the stripe which it lies in. */
export function kept(states: readonly State[], j: number): number {
  const server = states.findIndex((_, r) => j < Math.floor((r + 1) * size / ranks));
  return states.reduce((sum, { local }) => sum + local.error![j]! / ranks, 0) +
    states[server]!.local.serverError![j - Math.floor(server * size / ranks)]!;
}

/** Checks that nothing is lost: Σ γ p̄ = Σ γ g + γ (mean e + e of the server), p̄ the mean of what enters the compressor. */
export function conserves(method: Method, enters: (gradient: Float32Array, rank: number) => ArrayLike<number>): void {
  const run = lockstep(method, { ranks, size }), total = new Float64Array(size), applied = new Float64Array(size);
  for (let t = 0; t < 60; t++) {
    const rate = t < 20 ? .1 : t < 40 ? .01 : .03;
    run.gradients.forEach((gradient, rank) => {
      const vector = enters(gradient, rank);
      for (let j = 0; j < size; j++) total[j]! += rate * vector[j]! / ranks;
    });
    run.step({ learningRate: rate }).forEach((v, j) => applied[j]! += rate * v);
    for (let j = 0; j < size; j++) assertAlmostEquals(applied[j]! + rate * kept(run.states, j), total[j]!, 2e-6);
  }
  assert(applied.some((v, j) => Math.abs(v - total[j]!) > 1e-3));
}
