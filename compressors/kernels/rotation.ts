/**
 * Random rotations from a key, which both ends make: random signs, then a Hadamard transform, once or several times; for
 * a few numbers a uniformly distributed orthogonal matrix.
 *
 * @module
 */

import { flipSigns, hadamard } from "./hadamard.ts";
import { fold, type Key, normal } from "../../random.ts";

/**
 * Replaces `data` by its rotation, for any length: signs and transform on the first 2ʲ numbers, the most there are, then
 * on the last 2ʲ, so that nothing is padded; `rounds` times. Numbers must be far from float32's limits.
 */
export function rotate(data: Float32Array, key: Key, rounds: number): void {
  const { length } = data, size = floorPower(length);
  if (length === 0) return;
  for (let round = 0; round < rounds; round++) {
    spread(data, 0, size, fold(key, 2 * round));
    if (size < length) spread(data, length - size, size, fold(key, 2 * round + 1));
  }
}

/** Undoes `rotate`. */
export function unrotate(data: Float32Array, key: Key, rounds: number): void {
  const { length } = data, size = floorPower(length);
  if (length === 0) return;
  for (let round = rounds - 1; round >= 0; round--) {
    if (size < length) gather(data, length - size, size, fold(key, 2 * round + 1));
    gather(data, 0, size, fold(key, 2 * round));
  }
}

function spread(data: Float32Array, start: number, size: number, key: Key): void {
  flipSigns(key, data, start, size, 1 / Math.sqrt(size));
  hadamard(data, start, size);
}

function gather(data: Float32Array, start: number, size: number, key: Key): void {
  hadamard(data, start, size);
  flipSigns(key, data, start, size, 1 / Math.sqrt(size));
}

/** The largest power of two that is at most n ≥ 1. */
export function floorPower(n: number): number {
  return 2 ** (31 - Math.clz32(n));
}

/** Up to this many numbers are rotated by a uniformly distributed matrix: so few signs make too few different rotations. */
const MATRIX = 32;
/** The most numbers in a block: 32 KiB stay in the first level cache. */
const BLOCK = 8192;

/**
 * How a vector is cut into blocks that are rotated by themselves: blocks of 8192; of what is left, the largest power of
 * two, until it is at most 32 numbers, or fills more than three quarters of a power of two and is padded to it with zeros.
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

/**
 * Rounds of signs and transform that bring the bias of quantizers which are unbiased under the uniform distribution within
 * 2e-5 ‖x‖² for vectors of a few nonzero numbers, the worst: it was up to 0.6 ‖x‖² / size after two.
 */
function roundsOf(size: number): number {
  return size >= 256 ? 3 : 4;
}

/** Rotates the first `size` numbers, a block's padded length, by a rotation near the uniform distribution. */
export function rotateBlock(data: Float32Array, size: number, key: Key): void {
  if (size <= MATRIX) multiply(matrixOf(key, size), data, size, false);
  else {
    for (let round = 0; round < roundsOf(size); round++) spread(data, 0, size, fold(key, round));
  }
}

/** Undoes `rotateBlock`. */
export function unrotateBlock(data: Float32Array, size: number, key: Key): void {
  if (size <= MATRIX) multiply(matrixOf(key, size), data, size, true);
  else {
    for (let round = roundsOf(size) - 1; round >= 0; round--) gather(data, 0, size, fold(key, round));
  }
}

const draws = new Float32Array(MATRIX * MATRIX),
  matrix = new Float64Array(MATRIX * MATRIX),
  row = new Float64Array(MATRIX);

/** A uniformly distributed orthogonal matrix: gaussian rows, each made orthogonal to those before (twice, for accuracy). */
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
