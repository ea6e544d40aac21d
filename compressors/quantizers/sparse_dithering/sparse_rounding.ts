/** The step of sparse dithering, and the levels that numbers are rounded to: multiples of the step. @module */

import type { Key } from "../../../random.ts";
import { sentLogScale } from "../../coding/log_scale.ts";
import { floorFloat32, MAX_FLOAT32 } from "../../kernels/float32.ts";
import { scratch } from "../../kernels/scratch.ts";
import { roundNearest, roundRandom } from "../../kernels/sparse_levels.ts";
import { sumOfSquares } from "../../kernels/sums.ts";

/** What the codes of sparse dithering must know; see the options of `sparseDithering`. */
export interface SparseRounding {
  readonly nu: number;
  readonly rounding: "random" | "nearest";
  readonly scale: "float32" | "log";
}

/** The levels that are not 0, with their positions in ascending order. */
interface SparseLevels {
  readonly positions: Uint32Array;
  readonly levels: Int32Array;
  readonly count: number;
}

/** The smallest normal float32: no step is below it. */
const SMALLEST = 2 ** -126;
const positionsOf = scratch(Uint32Array), levelsOf = scratch(Int32Array);

/** The step for which the error is as promised: 2 ‖x‖ √(ν / d) for a vector x of d numbers. */
export function promisedStep(vector: Float32Array, { nu }: SparseRounding): number {
  return 2 * Math.sqrt(nu * sumOfSquares(vector) / vector.length);
}

/** The step that is sent: no larger than the promised one, unless that is below the normal float32; 0 for zeros. */
export function sentStep(promised: number, { scale }: SparseRounding): number {
  if (!(promised > 0)) return 0;
  const step = Math.max(floorFloat32(promised), SMALLEST);
  return scale === "log" ? sentLogScale(step) : step;
}

/** The largest level that is decoded to a finite float32. */
export function limitOf(step: number): number {
  return Math.min(2 ** 31 - 1, Math.floor(MAX_FLOAT32 / step));
}

/** Working memory for the levels of `size` numbers, which every call reuses. */
export function levelMemory(size: number): Omit<SparseLevels, "count"> {
  return { positions: positionsOf(size), levels: levelsOf(size) };
}

/** Rounds the vector to levels of at most `limit`, in {@linkcode levelMemory}. */
export function roundLevels(
  vector: Float32Array,
  step: number,
  limit: number,
  { rounding }: SparseRounding,
  key: Key,
): SparseLevels {
  const { positions, levels } = levelMemory(vector.length);
  const count = rounding === "nearest"
    ? roundNearest(vector, 1 / step, limit, positions, levels)
    : roundRandom(vector, 1 / step, limit, key, positions, levels);
  return { positions, levels, count };
}
