/**
 * Random rotations, which sender and receiver make from the same key: random signs and then a Hadamard transform, once or
 * several times. For a few numbers it is a uniformly distributed orthogonal matrix instead.
 *
 * @module
 */

import { flipSigns, hadamard } from "./hadamard.ts";
import { fold, type Key, normal } from "../../random.ts";

/**
 * Rotates `data`, which may have any length: with 2ʲ the largest power of two that is at most the length, signs and
 * transform are applied to the first 2ʲ numbers and then to the last 2ʲ, so that nothing is padded; all of it `rounds`
 * times. Numbers must be far from float32's limits.
 */
export function rotate(data: Float32Array, key: Key, rounds: number): void {
  const { length } = data, size = floorPower(length);
  if (length === 0) return;
  for (let round = 0; round < rounds; round++) {
    spread(data, 0, size, fold(key, 2 * round));
    if (size < length) spread(data, length - size, size, fold(key, 2 * round + 1));
  }
}

/** Undoes {@linkcode rotate}. */
export function unrotate(data: Float32Array, key: Key, rounds: number): void {
  const { length } = data, size = floorPower(length);
  if (length === 0) return;
  for (let round = rounds - 1; round >= 0; round--) {
    if (size < length) gather(data, length - size, size, fold(key, 2 * round + 1));
    gather(data, 0, size, fold(key, 2 * round));
  }
}

/** Applies signs and transform to `size` numbers from index `start` on. */
function spread(data: Float32Array, start: number, size: number, key: Key): void {
  flipSigns(key, data, start, size, 1 / Math.sqrt(size));
  hadamard(data, start, size);
}

/** Undoes {@linkcode spread}. */
function gather(data: Float32Array, start: number, size: number, key: Key): void {
  hadamard(data, start, size);
  flipSigns(key, data, start, size, 1 / Math.sqrt(size));
}

/** The largest power of two that is at most n ≥ 1. */
export function floorPower(n: number): number {
  return 2 ** (31 - Math.clz32(n));
}

/** Up to this many numbers are rotated by a matrix: signs of so few numbers make too few different rotations. */
const MATRIX = 32;
/** The most numbers in a block: they fit a first level cache of 32 KiB. */
export const BLOCK = 8192;

/**
 * Cuts a vector of `size` numbers into blocks that are rotated by themselves, and calls `use` for each: with the index of
 * its first number, how many numbers it has, how many it is padded to with zeros, and its own index. First come blocks of
 * 8192. Of what is left then, a block takes the largest power of two; but all of it if that is at most 32 numbers, or fills
 * more than three quarters of the next power of two, to which it is padded.
 */
export function eachBlock(
  size: number,
  use: (from: number, length: number, padded: number, index: number) => void,
): void {
  for (let from = 0, index = 0; from < size; index++) {
    const left = size - from, floor = Math.min(BLOCK, floorPower(left));
    const padded = left <= MATRIX ? left : left >= BLOCK || 2 * left <= 3 * floor ? floor : 2 * floor;
    const length = Math.min(left, padded);
    use(from, length, padded, index);
    from += length;
  }
}

/** data[i] := factor · vector[from + i] for i < count, and 0 from there up to `size`: a block with its padding. */
export function copyScaled(
  vector: Float32Array,
  from: number,
  count: number,
  factor: number,
  data: Float32Array,
  size: number,
): void {
  for (let i = 0; i < count; i++) data[i] = factor * vector[from + i]!;
  data.fill(0, count, size);
}

/**
 * How often signs and transform are applied. Some quantizers are unbiased under uniformly distributed rotations only. With
 * so many rounds the square of their bias is at most 2e-5 ‖x‖² for the worst vectors, those of a few nonzero numbers; with
 * two rounds it was up to 0.6 ‖x‖² / size.
 */
function roundsOf(size: number): number {
  return size >= 256 ? 3 : 4;
}

/** Rotates the first `size` numbers, a block with its padding, by a rotation whose distribution is nearly uniform. */
export function rotateBlock(data: Float32Array, size: number, key: Key): void {
  if (size <= MATRIX) multiply(matrixOf(key, size), data, size, false);
  else {
    for (let round = 0; round < roundsOf(size); round++) spread(data, 0, size, fold(key, round));
  }
}

/** Undoes {@linkcode rotateBlock}. */
export function unrotateBlock(data: Float32Array, size: number, key: Key): void {
  if (size <= MATRIX) multiply(matrixOf(key, size), data, size, true);
  else {
    for (let round = roundsOf(size) - 1; round >= 0; round--) gather(data, 0, size, fold(key, round));
  }
}

const draws = new Float32Array(MATRIX * MATRIX),
  matrix = new Float64Array(MATRIX * MATRIX),
  row = new Float64Array(MATRIX);

/** A uniformly distributed orthogonal matrix: Gaussian rows, each made orthogonal to those before it, twice for accuracy. */
function matrixOf(key: Key, size: number): Float64Array {
  matrix.set(normal(key, draws.subarray(0, size * size)));
  for (let i = 0; i < size; i++) {
    for (let again = 0; again < 2; again++) {
      for (let j = 0; j < i; j++) {
        let product = 0;
        for (let l = 0; l < size; l++) product += matrix[i * size + l]! * matrix[j * size + l]!;
        for (let l = 0; l < size; l++) matrix[i * size + l]! -= product * matrix[j * size + l]!;
      }
    }
    let squares = 0;
    for (let l = 0; l < size; l++) squares += matrix[i * size + l]! * matrix[i * size + l]!;
    const factor = 1 / Math.sqrt(squares);
    for (let l = 0; l < size; l++) matrix[i * size + l]! *= factor;
  }
  return matrix;
}

/** data := matrix · data, or the transposed matrix · data. */
function multiply(matrix: Float64Array, data: Float32Array, size: number, transposed: boolean): void {
  row.fill(0, 0, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      if (transposed) row[j]! += matrix[i * size + j]! * data[i]!;
      else row[i]! += matrix[i * size + j]! * data[j]!;
    }
  }
  for (let i = 0; i < size; i++) data[i] = row[i]!;
}
