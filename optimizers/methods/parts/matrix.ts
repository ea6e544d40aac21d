/** Matrices as parts of a flat vector. @module */

import { powerOfTwo } from "../../../compressors/kernels/float32.ts";
import { largest } from "../../../compressors/kernels/sums.ts";
import { fold, type Key, normal } from "../../../random.ts";
import { type Layout, sizeOf } from "../../../compressors/layout.ts";

/** One tensor as a matrix: row i starts at `from` + i · columns. Vectors and scalars have one row. */
export interface MatrixPart {
  readonly from: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * The tensors of a layout as matrices, one after the other. All dimensions but the last make the rows, as tfjs lays out
 * dense and convolution kernels.
 */
export function matricesOf({ shapes }: Layout): MatrixPart[] {
  let from = 0;
  return shapes.map((shape) => {
    const size = sizeOf(shape), last = shape.at(-1) ?? 1, columns = shape.length < 2 || last === 0 ? size : last;
    const part = { from, rows: columns === 0 ? 1 : size / columns, columns };
    from += size;
    return part;
  });
}

/** `rank` vectors of `length` numbers, one after the other, drawn from the key. */
export function gaussian(key: Key, rank: number, length: number, out: Float32Array): Float32Array {
  for (let r = 0; r < rank; r++) normal(fold(key, r), out.subarray(r * length, (r + 1) * length));
  return out;
}

/** out[r] := M · vectors[r], r < rank; M lies in `matrix` from part.from on, the vectors one after the other. */
export function multiply(
  matrix: Float32Array,
  part: MatrixPart,
  vectors: Float32Array,
  rank: number,
  out: Float32Array,
): void {
  const { from, rows, columns } = part;
  // Row by row, so that a row is read from memory once for all vectors; likewise below.
  for (let i = 0; i < rows; i++) {
    const row = from + i * columns;
    for (let r = 0; r < rank; r++) {
      const vector = r * columns;
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += matrix[row + j]! * vectors[vector + j]!;
      out[r * rows + i] = sum;
    }
  }
}

/** out[r] := Mᵀ · vectors[r], r < rank. */
export function multiplyTransposed(
  matrix: Float32Array,
  part: MatrixPart,
  vectors: Float32Array,
  rank: number,
  out: Float32Array,
): void {
  const { from, rows, columns } = part;
  out.fill(0, 0, rank * columns);
  for (let i = 0; i < rows; i++) {
    const row = from + i * columns;
    for (let r = 0; r < rank; r++) {
      const weight = vectors[r * rows + i]!, sum = r * columns;
      for (let j = 0; j < columns; j++) out[sum + j]! += weight * matrix[row + j]!;
    }
  }
}

/** M += scale · Σ lefts[r] rights[r]ᵀ. */
export function addProduct(
  lefts: Float32Array,
  rights: Float32Array,
  rank: number,
  scale: number,
  matrix: Float32Array,
  { from, rows, columns }: MatrixPart,
): void {
  for (let i = 0; i < rows; i++) {
    const row = from + i * columns;
    for (let r = 0; r < rank; r++) {
      const weight = scale * lefts[r * rows + i]!, right = r * columns;
      for (let j = 0; j < columns; j++) matrix[row + j]! += weight * rights[right + j]!;
    }
  }
}

/**
 * Makes `rank` vectors of `length` numbers, one after the other, orthonormal: Gram–Schmidt with each projection taken
 * twice. What depends on those before (or is zero) becomes zero. Each vector is first multiplied by the power of two
 * that brings its largest number to 1 or just below 2: that changes no direction and no other bit, and nothing
 * overflows.
 */
export function orthonormalise(vectors: Float32Array, rank: number, length: number): void {
  const column = (r: number) => vectors.subarray(r * length, (r + 1) * length);
  for (let r = 0; r < rank; r++) {
    const own = column(r), factor = 1 / powerOfTwo(largest(own));
    for (let i = 0; i < length; i++) own[i]! *= factor;
    const before = Math.sqrt(dot(own, own));
    for (let turn = 0; turn < 2; turn++) {
      for (let s = 0; s < r; s++) {
        const other = column(s), along = dot(own, other);
        for (let i = 0; i < length; i++) own[i]! -= along * other[i]!;
      }
    }
    const norm = Math.sqrt(dot(own, own)), unit = norm > 1e-6 * before ? 1 / norm : 0;
    for (let i = 0; i < length; i++) own[i]! *= unit;
  }
}

function dot(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
