/**
 * Kashin's representation: x = (R₁ᵀ b₁ + R₂ᵀ b₂) / √2, where R₁ and R₂ are two random rotations, each of random signs and a
 * Hadamard transform, and the coefficients b₁ and b₂ are nearly of one magnitude. There are twice as many as numbers in x,
 * whose length is a power of two.
 *
 * @module
 */

import { fold, type Key } from "../../random.ts";
import { flipSigns, hadamard } from "./hadamard.ts";
import { scratch } from "./scratch.ts";
import { largest } from "./sums.ts";

/**
 * Magnitudes of coefficients, in units of the root mean square of the shortest representation: each step clips to CLIP, and
 * the steps end where none exceeds WANTED.
 */
const CLIP = 1.8, WANTED = 2;
/** The most steps towards coefficients of one magnitude. */
const STEPS = 16;
const clippedOff = scratch(Float32Array);

/**
 * Sets b to a representation of x whose coefficients are nearly of one magnitude, and returns the largest magnitude. The
 * mean square of x must be such that that of its shortest representation is 1. Each step clips the coefficients and adds
 * the shortest representation of what was clipped off.
 */
export function represent(x: Float32Array, b: Float32Array, key: Key): number {
  const half = x.length, rest = clippedOff(2 * half);
  rest.set(x);
  analyse(rest, half, key);
  b.set(rest);
  for (let step = 0; step < STEPS && largest(b) > WANTED; step++) {
    for (let i = 0; i < b.length; i++) {
      const clipped = Math.max(-CLIP, Math.min(CLIP, b[i]!));
      rest[i] = b[i]! - clipped;
      b[i] = clipped;
    }
    synthesise(rest, half, key);
    analyse(rest, half, key);
    for (let i = 0; i < b.length; i++) b[i]! += rest[i]!;
  }
  return largest(b);
}

/** Replaces `data`, whose first half is x, by the shortest representation (R₁ x, R₂ x) / √2 of x. */
function analyse(data: Float32Array, half: number, key: Key): void {
  data.copyWithin(half, 0, half);
  for (let part = 0; part < 2; part++) {
    flipSigns(fold(key, part), data, part * half, half, Math.SQRT1_2 / Math.sqrt(half));
    hadamard(data, part * half, half);
  }
}

/** Replaces the first half of `data`, a representation (b₁, b₂), by the vector (R₁ᵀ b₁ + R₂ᵀ b₂) / √2 that it stands for. */
export function synthesise(data: Float32Array, half: number, key: Key): void {
  for (let part = 0; part < 2; part++) {
    hadamard(data, part * half, half);
    flipSigns(fold(key, part), data, part * half, half, Math.SQRT1_2 / Math.sqrt(half));
  }
  for (let i = 0; i < half; i++) data[i]! += data[half + i]!;
}
