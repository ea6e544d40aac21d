/** A problem of which ranks take single terms. @module */

import { ridge, type Rows } from "../../../../optimizers/mod.ts";
import { key, normal } from "../../../../random.ts";

/** 5 ranks with 8 terms each, 10 parameters, labels that no x fits. */
export const ranks = 5, terms = 8, size = 10;

const draws = normal(key(3), new Float32Array(ranks * terms * (size + 1)));

/** The rows: random numbers of different sizes by column. */
export const rows: Rows = {
  features: size,
  labels: Float64Array.from({ length: ranks * terms }, (_, i) => 3 * draws[i * (size + 1)]!),
  starts: Uint32Array.from({ length: ranks * terms + 1 }, (_, i) => i * size),
  indices: Uint32Array.from({ length: ranks * terms * size }, (_, e) => e % size),
  values: Float64Array.from(
    { length: ranks * terms * size },
    (_, e) => draws[Math.floor(e / size) * (size + 1) + 1 + e % size]! * (e % 3 + 1) / 3,
  ),
};

/** Ridge regression on the rows. */
export const problem = ridge(rows, { ranks, lambda: .1 });

/** A run on single terms. */
export const run = { batch: 1, error: 1e-10, every: 1000 };
