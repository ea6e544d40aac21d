/** Caps of the sphere, and the search for a candidate inside one. @module */

import { type Key, normal } from "../../random.ts";
import { scratch } from "./scratch.ts";

/** The cap {y : ⟨y, x⟩ ≥ √(1 − a)} of the unit sphere in d dimensions around a unit vector x. */
export interface Cap {
  /** P(a, d): the part of the sphere that it covers. */
  readonly probability: number;
  /** m(a, d): the mean of ⟨y, x⟩ over it. */
  readonly mean: number;
}

/**
 * The cap for 0 < a < 1 and d ≥ 1: P = I_a((d − 1)/2, 1/2) / 2 and m = a^((d−1)/2) / ((d − 1) B((d − 1)/2, 1/2) P), from
 * the power series of the incomplete beta function. Only +, ×, ÷ and √, so every engine gets the same bits.
 */
export function cap(a: number, d: number): Cap {
  if (d === 1) return { probability: 0.5, mean: 1 };
  // B(p, 1/2) and a^p for p = (d − 1)/2, from p = 1/2 or 1 upwards.
  let beta = d % 2 === 0 ? Math.PI : 2, power = d % 2 === 0 ? Math.sqrt(a) : a;
  const p = (d - 1) / 2;
  for (let q = d % 2 === 0 ? 0.5 : 1; q < p; q++) beta *= q / (q + 0.5), power *= a;
  let term = 1, sum = 1 / p;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= a * (k - 0.5) / k;
    sum += term / (p + k);
  }
  return { probability: power * sum / beta / 2, mean: 1 / (p * sum) };
}

/** Rice's parameter for a geometric index of this probability: max(0, round(log₂(ln 2 / p))). */
export function riceParameter(probability: number): number {
  let r = 0;
  while (Math.LN2 / probability >= Math.SQRT2 * 2 ** r) r++;
  return r;
}

/** Candidates are made in pieces of so many. */
const PIECE = 64;
/** At most so many numbers of candidates are kept (16 MB); those beyond are made anew whenever they are reached. */
const KEPT = 2 ** 22;

/** Numbers from one candidate to the next: an even number, since normal numbers come in pairs. */
function stride(size: number): number {
  return size + (size & 1);
}

/** Scales `size` numbers from each multiple of the stride on to length 1. */
function normalise(numbers: Float32Array, size: number): void {
  for (let at = 0; at < numbers.length; at += stride(size)) {
    let squares = 0;
    for (let i = 0; i < size; i++) squares += numbers[at + i]! * numbers[at + i]!;
    const scale = 1 / Math.sqrt(squares);
    for (let i = 0; i < size; i++) numbers[at + i] = numbers[at + i]! * scale;
  }
}

/**
 * out[0..size) := candidate t of the key: uniform on the unit sphere, independent of the others. out has room for one
 * more number if size is odd.
 */
export function candidate(key: Key, t: number, size: number, out: Float32Array): void {
  const row = out.subarray(0, stride(size));
  normal(key, row, t * stride(size));
  normalise(row, size);
}

/** The search among the candidates of a key in `size` dimensions. Those that are reached are kept for the next search. */
export class Candidates {
  #key: Key = [0, 0];
  #size = 0;
  #kept: Float32Array[] = [];
  #ready = 0;
  #spare = new Float32Array(0);

  /** Starts anew with a key. */
  reset(key: Key, size: number): void {
    if (stride(size) !== stride(this.#size)) this.#kept = [], this.#spare = new Float32Array(0);
    this.#key = key, this.#size = size, this.#ready = 0;
  }

  /** The first candidate t < most with ⟨yᵗ, vector[from..from + size)⟩ ≥ threshold, or −1. */
  search(vector: Float32Array, from: number, threshold: number, most: number): number {
    const size = this.#size, step = stride(size), whole = size & ~3;
    for (let start = 0; start < most; start += PIECE) {
      const piece = this.#piece(start / PIECE), end = Math.min(PIECE, most - start) * step;
      for (let at = 0; at < end; at += step) {
        let product = 0, i = 0;
        for (; i < whole; i += 4) {
          const j = at + i, k = from + i;
          product += (piece[j]! * vector[k]! + piece[j + 1]! * vector[k + 1]!) +
            (piece[j + 2]! * vector[k + 2]! + piece[j + 3]! * vector[k + 3]!);
        }
        for (; i < size; i++) product += piece[at + i]! * vector[from + i]!;
        if (product >= threshold) return start + at / step;
      }
    }
    return -1;
  }

  #piece(index: number): Float32Array {
    if (index < this.#ready) return this.#kept[index]!;
    const length = PIECE * stride(this.#size), keep = (index + 1) * length <= KEPT;
    if (!keep && this.#spare.length === 0) this.#spare = new Float32Array(length);
    if (keep && this.#kept.length === index) this.#kept.push(new Float32Array(length));
    const piece = keep ? this.#kept[index]! : this.#spare;
    normal(this.#key, piece, index * length);
    normalise(piece, this.#size);
    if (keep) this.#ready++;
    return piece;
  }
}

const order = scratch(Uint32Array), energies = scratch(Float64Array), two = new Float32Array(2);

/**
 * What {@link Candidates.search} finds in a whole vector of two numbers at least, with no candidate kept and few made
 * whole: numbers are drawn in pairs, the pair where the vector has most energy first, until what is left cannot lift the
 * candidate into the cap. If g and x are split in two parts, ⟨g₁, x₁⟩ + ‖g₂‖ ‖x₂‖ ≥ c √(‖g₁‖² + ‖g₂‖²) ‖x‖ holds for some
 * ‖g₂‖ only if ⟨g₁, x₁⟩ ≥ ‖g₁‖ √(c² ‖x‖² − ‖x₂‖²). `cosine` is c, `norm` ‖x‖.
 */
export function searchOnce(key: Key, vector: Float32Array, cosine: number, norm: number, most: number): number {
  const size = vector.length, pairs = (size + 1) >> 1, sorted = order(pairs), rest = energies(pairs);
  for (let j = 0; j < pairs; j++) {
    const energy = vector[2 * j]! ** 2 + (2 * j + 1 < size ? vector[2 * j + 1]! ** 2 : 0);
    let at = j;
    for (; at > 0 && rest[at - 1]! < energy; at--) rest[at] = rest[at - 1]!, sorted[at] = sorted[at - 1]!;
    rest[at] = energy, sorted[at] = j;
  }
  // rest[j] := what ⟨g₁, x₁⟩² / ‖g₁‖² must reach after j + 1 pairs, less a millionth for rounding.
  let left = 0;
  for (let j = pairs - 1; j >= 0; j--) {
    const energy = rest[j]!;
    rest[j] = ((cosine * norm) ** 2 - left) * (1 - 1e-6);
    left += energy;
  }
  const point = new Float32Array(2 * pairs);
  for (let t = 0; t < most; t++) {
    let product = 0, squares = 0, j = 0;
    for (; j < pairs; j++) {
      const at = 2 * sorted[j]!;
      normal(key, two, t * 2 * pairs + at);
      product += two[0]! * vector[at]!, squares += two[0]! * two[0]!;
      if (at + 1 < size) product += two[1]! * vector[at + 1]!, squares += two[1]! * two[1]!;
      if (rest[j]! > 0 && (product <= 0 || product * product < squares * rest[j]!)) break;
    }
    if (j < pairs) continue;
    candidate(key, t, size, point);
    product = 0;
    for (let i = 0; i < size; i++) product += point[i]! * vector[i]!;
    if (product >= cosine * norm) return t;
  }
  return -1;
}
