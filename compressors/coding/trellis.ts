/** Nearest points of a trellis code: the quantiser of subtractive dithering. @module */

/** How many numbers of the trellis: one state is the scalar quantiser. */
export type TrellisStates = 1 | 4 | 8 | 16 | 32 | 64 | 256;

/**
 * A trellis over the integers modulo 4. In state s the integers z ≡ s_ν (mod 2) are allowed, s_ν its highest bit; then
 * ⌊z / 2⌋ mod 2 chooses one of two next states. One state allows the even integers.
 */
export interface Trellis {
  readonly states: TrellisStates;
  /** log₂ of the number of states. */
  readonly bits: number;
  /** State after s by ⌊z / 2⌋ mod 2, at 2s and 2s + 1. */
  readonly next: Uint8Array;
  /** State before t by ⌊z / 2⌋ mod 2, at 2t and 2t + 1. The last integer's parity is t's lowest bit. */
  readonly before: Uint8Array;
  /** Mean square error per number of a long path: G'. */
  readonly limit: number;
  /** Mean square error of a whole path of LENGTHS[i] numbers from state 0, less that many times `limit`. */
  readonly start: readonly number[];
}

/** Numbers whose path is found at once; the next ones start in the state where it ended. */
export const BLOCK = 16384;

const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128];

/**
 * By states: ν, the parity-check polynomials h0 and h1 (Ungerboeck's), G', and what the start costs. Measured from 1e8
 * (256 states: 1e7) uniform numbers, standard error of G' 1e-4 (3e-4) of it, of `start` below 0.003; that of one number
 * is 1/3 − G' exactly, since only even integers are allowed in state 0.
 */
// deno-fmt-ignore
const CODES: Record<TrellisStates, readonly [bits: number, h0: number, h1: number, limit: number, start: readonly number[]]> = {
  1: [0, 0, 0, 1 / 3, LENGTHS.map(() => 0)],
  4: [2, 0o5, 0o2, 0.26502, [0.0683, 0.116, 0.1582, 0.1893, 0.2154, 0.2356, 0.2646, 0.282, 0.2916, 0.3012, 0.3036, 0.3048, 0.3053, 0.3053, 0.3053, 0.3053, 0.3053]],
  8: [3, 0o13, 0o4, 0.2596, [0.0737, 0.1269, 0.1743, 0.2108, 0.2466, 0.2737, 0.3186, 0.3508, 0.3727, 0.3981, 0.4091, 0.4142, 0.4174, 0.4188, 0.4195, 0.4195, 0.4195]],
  16: [4, 0o23, 0o4, 0.25598, [0.0774, 0.1547, 0.2116, 0.2677, 0.3186, 0.3526, 0.4018, 0.4482, 0.4862, 0.5278, 0.5532, 0.5655, 0.5761, 0.5795, 0.5795, 0.5795, 0.5795]],
  32: [5, 0o45, 0o10, 0.25215, [0.0812, 0.1624, 0.2231, 0.2842, 0.3388, 0.3772, 0.4492, 0.4994, 0.5405, 0.5994, 0.6368, 0.6596, 0.6812, 0.69, 0.6911, 0.6931, 0.6938]],
  64: [6, 0o103, 0o24, 0.24962, [0.0837, 0.1674, 0.23, 0.2942, 0.3532, 0.4098, 0.487, 0.5395, 0.5805, 0.6534, 0.7072, 0.7419, 0.7819, 0.8067, 0.8109, 0.8122, 0.8129]],
  256: [8, 0o515, 0o362, 0.2451, [0.0882, 0.158, 0.2205, 0.2704, 0.3207, 0.3688, 0.4441, 0.5092, 0.5646, 0.6583, 0.7319, 0.7845, 0.8574, 0.9218, 0.9393, 0.9485, 0.9485]],
};

/** The numbers of states that there is a trellis for. */
export const trellisStates: readonly number[] = Object.keys(CODES).map(Number);

/** The trellis of so many states. */
export function trellis(states: TrellisStates): Trellis {
  const [bits, h0, h1, limit, start] = CODES[states];
  const next = new Uint8Array(2 * states), before = new Uint8Array(2 * states);
  for (let s = 0; states > 1 && s < states; s++) {
    for (let z1 = 0; z1 < 2; z1++) {
      const z0 = s >> (bits - 1);
      const t = ((s << 1) ^ (h0 * z0) ^ (h1 * z1)) & (states - 2) | z0;
      next[2 * s + z1] = t, before[2 * t + z1] = s;
    }
  }
  return { states, bits, next, before, limit, start };
}

/** E of the squared distance from `count` numbers, uniform modulo 4, to the path that is found: count · G'(count). */
export function squaredError({ limit, start }: Trellis, count: number): number {
  const rest = count % BLOCK, last = LENGTHS.length - 1;
  let i = 0;
  while (i < last && LENGTHS[i + 1]! <= rest) i++;
  const from = LENGTHS[i]!, to = LENGTHS[i + 1] ?? from + 1, part = i < last ? (rest - from) / (to - from) : 0;
  const extra = rest === 0 ? 0 : start[i]! + part * ((start[i + 1] ?? 0) - start[i]!);
  return limit * count + Math.floor(count / BLOCK) * start[last]! + extra;
}

/** Working memory of {@link shortestPath} for up to {@link BLOCK} numbers. */
export class PathMemory {
  /** Cost of taking number i in class l modulo 4, at 4 i + l. */
  readonly costs: Float64Array;
  /** The class modulo 4 that the path takes each number in. */
  readonly classes: Uint8Array;
  readonly sums: Float64Array;
  readonly others: Float64Array;
  /** Bit t of the words of number i: which of the two ways into state t is shorter. */
  readonly survivors: Uint32Array;

  constructor({ states }: Trellis) {
    // One state needs no search.
    this.costs = new Float64Array(states === 1 ? 0 : 4 * BLOCK);
    this.classes = new Uint8Array(states === 1 ? 0 : BLOCK);
    this.sums = new Float64Array(states);
    this.others = new Float64Array(states);
    this.survivors = new Uint32Array(states === 1 ? 0 : BLOCK * Math.ceil(states / 32));
  }
}

/**
 * The path of least cost from `state` on (Viterbi): fills memory.classes[0..count) from memory.costs and returns the state
 * at its end. Two branches per state and number.
 */
export function shortestPath({ states, before }: Trellis, state: number, count: number, memory: PathMemory): number {
  const { costs, classes, survivors } = memory, words = (states + 31) >> 5;
  let sums = memory.sums, others = memory.others, word = 0;
  sums.fill(1e30);
  sums[state] = 0;
  for (let i = 0; i < count; i++) {
    const c0 = costs[4 * i]!, c1 = costs[4 * i + 1]!, c2 = costs[4 * i + 2]!, c3 = costs[4 * i + 3]!;
    for (let t = 0, end = Math.min(states, 32); t < states; end += 32) {
      let bits = 0;
      for (; t < end; t += 2) {
        const a = sums[before[2 * t]!]! + c0, b = sums[before[2 * t + 1]!]! + c2;
        if (b < a) others[t] = b, bits |= 1 << t;
        else others[t] = a;
        const c = sums[before[2 * t + 2]!]! + c1, d = sums[before[2 * t + 3]!]! + c3;
        if (d < c) others[t + 1] = d, bits |= 2 << t;
        else others[t + 1] = c;
      }
      survivors[word++] = bits;
    }
    const swap = sums;
    sums = others, others = swap;
  }
  let end = 0;
  for (let t = 1; t < states; t++) if (sums[t]! < sums[end]!) end = t;
  for (let i = count - 1, t = end; i >= 0; i--) {
    const z1 = (survivors[i * words + (t >> 5)]! >>> (t & 31)) & 1;
    classes[i] = 2 * z1 + (t & 1);
    t = before[2 * t + z1]!;
  }
  return end;
}

/**
 * The allowed integers nearest to values[0..count) in the sum of squares, from `state` on: fills integers[0..count) and
 * returns the state at the end.
 */
export function nearestPath(
  trellis: Trellis,
  state: number,
  values: Float64Array,
  count: number,
  integers: Int32Array,
  memory: PathMemory,
): number {
  if (trellis.states === 1) {
    for (let i = 0; i < count; i++) integers[i] = 2 * Math.floor(values[i]! * 0.5 + 0.5);
    return 0;
  }
  const { costs, classes } = memory;
  for (let i = 0; i < count; i++) {
    const value = values[i]!, v = value - 4 * Math.floor(value * 0.25);
    // Distances modulo 4 to 0, 1, 2 and 3.
    const e0 = v < 2 ? v : 4 - v, e2 = 2 - e0, w = v - 1, e1 = w < 0 ? -w : w < 2 ? w : 4 - w, e3 = 2 - e1;
    costs[4 * i] = e0 * e0, costs[4 * i + 1] = e1 * e1, costs[4 * i + 2] = e2 * e2, costs[4 * i + 3] = e3 * e3;
  }
  const end = shortestPath(trellis, state, count, memory);
  for (let i = 0; i < count; i++) {
    const l = classes[i]!;
    integers[i] = 4 * Math.floor((values[i]! - l) * 0.25 + 0.5) + l;
  }
  return end;
}
