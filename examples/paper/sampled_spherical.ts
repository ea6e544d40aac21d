/** Spherical compression without the search: its output drawn from the law that the search has. @module */

import { bits, fold, normal } from "../../random.ts";
import { allGather } from "../../transport/round.ts";
import type { Method } from "../../optimizers/mod.ts";

/**
 * Compressed gradient descent on one node with the paper's spherical compression, sampled: a uniform point of the cap
 * {y on the unit sphere : ⟨y, x⟩ ≥ √(1 − α)}, scaled by √(1 − α)‖x‖, and a message as long as one whose index has the
 * geometric law of the search (31 bits of norm, Golomb–Rice), rounded up to bytes. The message itself is blank: this is a
 * simulation to check the search against (methods.md 5), not a compressor.
 */
export function sampledSpherical(alpha: number): Method {
  return {
    name: "sampledSpherical",
    options: { alpha },
    init: () => ({ local: {}, shared: {} }),
    *reduce(gradient, _state, { keyOf, rank }) {
      const d = gradient.length, norm = Math.hypot(...gradient), probability = capProbability(alpha, d);
      const word = bits(fold(keyOf(rank), 1), new Uint32Array(2)), uniform = [...word].map((w) => (w + .5) * 2 ** -32);
      const direction = normal(fold(keyOf(rank), 2), new Float32Array(d));
      // sin² of the angle to x, by bisection of its distribution function.
      let low = 0, high = alpha;
      for (let turn = 0; turn < 60; turn++) {
        const middle = (low + high) / 2;
        if (capProbability(middle, d) < uniform[0]! * probability) low = middle;
        else high = middle;
      }
      const along = gradient.reduce((sum, v, i) => sum + v * direction[i]!, 0) / norm ** 2;
      const across = direction.map((v, i) => v - along * gradient[i]!), length = Math.hypot(...across);
      const index = Math.floor(Math.log(uniform[1]!) / Math.log1p(-probability));
      const rice = Math.max(0, Math.round(Math.log2(Math.LN2 / probability)));
      const size = 31 + Math.floor(index / 2 ** rice) + 1 + rice;
      yield* allGather(new Uint8Array(norm === 0 ? 4 : Math.ceil(size / 8)));
      if (norm === 0) return;
      const scale = Math.sqrt(1 - alpha);
      for (let i = 0; i < d; i++) {
        gradient[i] = scale * (Math.sqrt(1 - high) * gradient[i]! + Math.sqrt(high) * norm * across[i]! / length);
      }
    },
  };
}

/** The share of the sphere in d dimensions within the angle of sine √a: ½ I_a((d − 1)/2, ½), by its power series. */
export function capProbability(a: number, d: number): number {
  const p = (d - 1) / 2;
  let term = 1, sum = 0;
  for (let k = 0; k < 2000 && term > 1e-17 * sum; k++) {
    sum += term / (p + k);
    term *= a * (k + .5) / (k + 1);
  }
  return a ** p * sum / (2 * beta(p));
}

/** B(p, ½) for p a multiple of ½. */
function beta(p: number): number {
  let value = Number.isInteger(p) ? 2 : Math.PI; // B(1, ½), B(½, ½)
  for (let q = Number.isInteger(p) ? 1 : .5; q < p; q++) value *= q / (q + .5);
  return value;
}
