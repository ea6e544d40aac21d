/** Spherical compression without the search: its output drawn from the law that the search has. @module */

import { logCapShare } from "../figures/bounds.ts";
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
      const d = gradient.length, norm = Math.hypot(...gradient), probability = capShare(alpha, d);
      const word = bits(fold(keyOf(rank), 1), new Uint32Array(2)), uniform = [...word].map((w) => (w + .5) * 2 ** -32);
      const direction = normal(fold(keyOf(rank), 2), new Float32Array(d));
      // sin² of the angle to x, by bisection of its distribution function.
      let low = 0, high = alpha;
      for (let turn = 0; turn < 60; turn++) {
        const middle = (low + high) / 2;
        if (capShare(middle, d) < uniform[0]! * probability) low = middle;
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

/** P(α, d), the share of directions that are within the error of one message. */
export function capShare(alpha: number, d: number): number {
  return Math.exp(logCapShare(alpha, d));
}
