/**
 * Caps of the unit sphere, and the search for the first of a key's random points, the candidates, that lies inside a cap.
 *
 * @module
 */

import { type Key, normal } from "../../random.ts";
import { scratch } from "./scratch.ts";

/** The cap {y : ⟨y, x⟩ ≥ √(1 − a)} of the unit sphere in d dimensions around a unit vector x. */
interface Cap {
  /** P(a, d): the part of the sphere that the cap covers. */
  readonly probability: number;
  /** m(a, d): the mean of ⟨y, x⟩ over the points y of the cap. */
  readonly mean: number;
}

/**
 * The cap for 0 < a < 1 and d ≥ 1. With B the beta function and I the regularised incomplete beta function,
 * P = I_a((d − 1)/2, 1/2) / 2 and m = a^((d − 1)/2) / ((d − 1) B((d − 1)/2, 1/2) P). They are computed from the power series
 * of I with +, ×, ÷ and √ alone, so that every engine gets the same bits.
 */
export function cap(a: number, d: number): Cap {
  if (d === 1) return { probability: 0.5, mean: 1 };
  // B(p, 1/2) and a^p for p = (d − 1)/2, by recurrence from p = 1/2 or p = 1.
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

/** Candidates are made so many at a time, in what is called a piece. */
const PIECE = 64;
/** At most so many numbers of candidates are kept (16 MB). Candidates beyond are made anew whenever a search reaches them. */
const KEPT = 2 ** 22;

/** How far apart two candidates begin in the key's stream: an even number, since normal numbers come in pairs. */
function stride(size: number): number {
  return size + (size & 1);
}

/** Scales the candidates in `numbers` to length 1. */
function normalise(numbers: Float32Array, size: number): void {
  for (let at = 0; at < numbers.length; at += stride(size)) {
    let squares = 0;
    for (let i = 0; i < size; i++) squares += numbers[at + i]! * numbers[at + i]!;
    const scale = 1 / Math.sqrt(squares);
    for (let i = 0; i < size; i++) numbers[at + i] = numbers[at + i]! * scale;
  }
}

/**
 * Writes candidate t of the key to the first `size` numbers of `out`: a point uniform on the unit sphere, independent of the
 * other candidates. If `size` is odd, `out` must have room for one number more.
 */
export function candidate(key: Key, t: number, size: number, out: Float32Array): void {
  const row = out.subarray(0, stride(size));
  normal(key, row, t * stride(size));
  normalise(row, size);
}

/** The search among the candidates of a key in `size` dimensions. Candidates that a search reached are kept for the next. */
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

  /**
   * The least t < most for which the inner product of candidate t with the `size` numbers from index `from` on is at least
   * `threshold`; −1 if there is none.
   */
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
 * Finds what {@linkcode Candidates.search} finds for a whole vector x of at least two numbers, where the threshold is c ‖x‖
 * with c = `cosine` and ‖x‖ = `norm`. No candidate is kept, and few are made whole: the normal numbers g that a candidate is
 * scaled from are drawn in pairs, first where x has most energy, until what is missing cannot lift the candidate into the
 * cap. With g and x split into what is drawn (g₁, x₁) and the rest (g₂, x₂), the inequality
 * ⟨g₁, x₁⟩ + ‖g₂‖ ‖x₂‖ ≥ c √(‖g₁‖² + ‖g₂‖²) ‖x‖ holds for some ‖g₂‖ only if ⟨g₁, x₁⟩ ≥ ‖g₁‖ √(c² ‖x‖² − ‖x₂‖²).
 */
export function searchOnce(key: Key, vector: Float32Array, cosine: number, norm: number, most: number): number {
  const size = vector.length, pairs = (size + 1) >> 1, sorted = order(pairs), rest = energies(pairs);
  for (let j = 0; j < pairs; j++) {
    const energy = vector[2 * j]! ** 2 + (2 * j + 1 < size ? vector[2 * j + 1]! ** 2 : 0);
    let at = j;
    for (; at > 0 && rest[at - 1]! < energy; at--) rest[at] = rest[at - 1]!, sorted[at] = sorted[at - 1]!;
    rest[at] = energy, sorted[at] = j;
  }
  // rest[j], so far the energy of pair j, becomes what ⟨g₁, x₁⟩² / ‖g₁‖² must reach after j + 1 pairs, less a millionth to
  // allow for rounding.
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
