/** Random subspaces of the parameters, of which a key and the layout are all that has to be known. @module */

import { scratch } from "../../../compressors/kernels/scratch.ts";
import { choose, fold, type Key } from "../../../random.ts";
import type { Context, Layout } from "../method.ts";
import {
  addProduct,
  gaussian,
  matricesOf,
  type MatrixPart,
  multiplyTransposed,
  orthonormalise,
} from "../parts/matrix.ts";

/** A kind of subspace. A key decides which of its kind it is. */
interface Subspace {
  /** Its dimension. */
  dimension(layout: Layout): number;
  /** coordinates := those of the vector's projection onto the key's subspace. */
  project(vector: Float32Array, key: Key, context: Context, coordinates: Float32Array): void;
  /** vector += scale · the vector of the key's subspace that has these coordinates. */
  addBack(coordinates: Float32Array, scale: number, key: Key, context: Context, vector: Float32Array): void;
}

const indicesOf = scratch(Uint32Array);

/** All vectors that are zero outside of a random set of this share of the numbers. */
export function maskSubspace(ratio: number): Subspace {
  return {
    dimension: ({ size }) => Math.min(size, Math.max(1, Math.floor(ratio * size))),
    project(vector, key, _context, coordinates) {
      const count = coordinates.length, chosen = choose(key, count, vector.length, indicesOf(count));
      for (let i = 0; i < count; i++) coordinates[i] = vector[chosen[i]!]!;
    },
    addBack(coordinates, scale, key, _context, vector) {
      const count = coordinates.length, chosen = choose(key, count, vector.length, indicesOf(count));
      for (let i = 0; i < count; i++) vector[chosen[i]!]! += scale * coordinates[i]!;
    },
  };
}

/**
 * All vectors whose matrices are products A B with `rank` random orthonormal columns in A. Matrices of at most `rank`
 * rows (so also vectors and scalars) are free: each of their numbers is a coordinate.
 */
export function lowRankSubspace(rank: number): Subspace {
  const isFree = ({ rows }: MatrixPart) => rows <= rank;
  const lengthOf = (part: MatrixPart) => (isFree(part) ? part.rows : rank) * part.columns;
  /** Each matrix with A (none where the matrix is free) and the place of its coordinates. */
  function* parts(
    key: Key,
    { layout, workspace }: Context,
  ): Generator<{ part: MatrixPart; basis: Float32Array | undefined; from: number; to: number }> {
    let from = 0, index = 0;
    for (const part of matricesOf(layout)) {
      const to = from + lengthOf(part), { rows } = part;
      let basis: Float32Array | undefined;
      if (!isFree(part)) {
        basis = gaussian(fold(key, index), rank, rows, workspace.floats("basis", rank * rows));
        orthonormalise(basis, rank, rows);
      }
      yield { part, basis, from, to };
      from = to, index++;
    }
  }
  return {
    dimension: (layout) => matricesOf(layout).reduce((sum, part) => sum + lengthOf(part), 0),
    project(vector, key, context, coordinates) {
      for (const { part, basis, from, to } of parts(key, context)) {
        if (basis) multiplyTransposed(vector, part, basis, rank, coordinates.subarray(from, to));
        else coordinates.set(vector.subarray(part.from, part.from + to - from), from);
      }
    },
    addBack(coordinates, scale, key, context, vector) {
      for (const { part, basis, from, to } of parts(key, context)) {
        if (basis) addProduct(basis, coordinates.subarray(from, to), rank, scale, vector, part);
        else for (let i = from; i < to; i++) vector[part.from + i - from]! += scale * coordinates[i]!;
      }
    },
  };
}
