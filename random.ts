/**
 * Counter-based random numbers: equal keys give equal numbers on every machine and every JavaScript engine.
 *
 * The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). Each key has a stream of 32-bit words. Any part of a stream can be made without the rest, and there is
 * no state to save. Numbers are made of the words with IEEE double arithmetic and `Math.sqrt` alone, which the language
 * defines to the last bit.
 *
 * @module
 */

/** A key of two 32-bit words, which stands for a stream of random words and for other keys. */
export type Key = readonly [number, number];

/** The lowest bit of the counter's first word tells the two uses of a key apart: drawing words and deriving other keys. */
const DRAW = 0, FOLD = 1;

/**
 * Threefry-2x32 with 20 rounds: writes two random words to out[at] and out[at + 1], which are a bijection of the counter's
 * words `a` and `b` for a fixed key.
 *
 * @example
 * ```ts
 * import { threefry } from "@gradwire/tfjs";
 * const out = new Uint32Array(2);
 * threefry(0, 0, 0, 0, out, 0);
 * console.assert(out[0] === 0x6b200159 && out[1] === 0x99ba4efe);
 * ```
 */
export function threefry(key0: number, key1: number, a: number, b: number, out: Uint32Array, at: number): void {
  const key2 = 0x1bd11bda ^ key0 ^ key1;
  a = (a + key0) | 0, b = (b + key1) | 0;
  a = (a + b) | 0, b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0, b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0, b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0, b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + key1) | 0, b = (b + key2 + 1) | 0;
  a = (a + b) | 0, b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0, b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0, b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0, b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + key2) | 0, b = (b + key0 + 2) | 0;
  a = (a + b) | 0, b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0, b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0, b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0, b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + key0) | 0, b = (b + key1 + 3) | 0;
  a = (a + b) | 0, b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0, b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0, b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0, b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + key1) | 0, b = (b + key2 + 4) | 0;
  a = (a + b) | 0, b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0, b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0, b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0, b = ((b << 6) | (b >>> 26)) ^ a;
  out[at] = a + key2;
  out[at + 1] = b + key0 + 5;
}

const pair = new Uint32Array(2);

/**
 * Makes a key from a seed.
 *
 * @param seed a safe integer of at least 0
 *
 * @throws {RangeError} if the seed is not a safe non-negative integer
 *
 * @example
 * ```ts
 * import { key, uniform } from "@gradwire/tfjs";
 * const draws = uniform(key(7), new Float32Array(4));
 * console.assert(draws.every((u) => 0 <= u && u < 1));
 * ```
 */
export function key(seed: number): Key {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`Cannot make a key: seed is ${seed}, expected a safe non-negative integer`);
  }
  return [Math.floor(seed / 2 ** 32) | 0, seed | 0];
}

/**
 * Derives a key from a key and a number, such as that of a step, a rank or a block. Different numbers give different keys.
 *
 * @param data an integer from 0 to 2⁵³
 *
 * @example
 * ```ts
 * import { fold, key } from "@gradwire/tfjs";
 * const ofStep = fold(key(7), 100), ofRank = fold(ofStep, 3);
 * console.assert(ofStep.join() !== ofRank.join());
 * ```
 */
export function fold(key: Key, data: number): Key {
  // The high word, which is 0 below 2³², stands beside the bit that tells folding from drawing.
  const high = data < 2 ** 32 ? 0 : Math.floor(data / 2 ** 32);
  threefry(key[0], key[1], FOLD | high << 1, data | 0, pair, 0);
  return [pair[0]! | 0, pair[1]! | 0];
}

/**
 * Fills `out` with words of the key's stream, from position `from` on, and returns it.
 *
 * @throws {RangeError} if `from` is odd or negative: words come in pairs
 */
export function bits(key: Key, out: Uint32Array, from = 0): Uint32Array {
  checkFrom(from);
  const [key0, key1] = key, even = out.length & ~1, block = from / 2;
  for (let i = 0; i < even; i += 2) threefry(key0, key1, DRAW, block + (i >>> 1), out, i);
  if (even < out.length) {
    threefry(key0, key1, DRAW, block + (even >>> 1), pair, 0);
    out[even] = pair[0]!;
  }
  return out;
}

/**
 * Fills `out` with numbers uniform on [0, 1), and returns it. Each is a multiple of 2⁻²⁴ made of one word of the key's
 * stream, from position `from` on.
 *
 * @throws {RangeError} if `from` is odd or negative
 */
export function uniform(key: Key, out: Float32Array, from = 0): Float32Array {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  bits(key, words, from);
  for (let i = 0; i < words.length; i++) out[i] = (words[i]! >>> 8) * 2 ** -24;
  return out;
}

/**
 * Fills `out` with standard normal numbers, and returns it. Each takes one word of the key's stream, from position `from` on
 * (Box–Muller, so that no magnitude exceeds 6.8). Logarithm and sine are polynomials in IEEE doubles, so that every engine
 * gets the same bits.
 *
 * @throws {RangeError} if `from` is odd or negative
 */
export function normal(key: Key, out: Float32Array, from = 0): Float32Array {
  checkFrom(from);
  const [key0, key1] = key, block = from / 2;
  for (let i = 0; i < out.length; i += 2) {
    threefry(key0, key1, DRAW, block + (i >>> 1), pair, 0);
    const radius = Math.sqrt(-2 * ln((pair[0]! + 0.5) * 2 ** -32));
    sinCos(pair[1]!);
    out[i] = radius * cosine;
    if (i + 1 < out.length) out[i + 1] = radius * sine;
  }
  return out;
}

/**
 * Draws `count` distinct indices below `size`. Every subset is equally likely, and whoever has the key draws the same one.
 * Floyd's algorithm on a bitmap: at most 2 words are drawn for each index, and size / 8 bytes of memory are kept.
 *
 * @param out where to write the indices, by default a new array
 * @returns the indices, ascending
 *
 * @throws {RangeError} unless 0 ≤ count ≤ size < 2³²
 * @throws {TypeError} if the key is none
 *
 * @example
 * ```ts
 * import { choose, key } from "@gradwire/tfjs";
 * console.assert(choose(key(1), 5, 5).join() === "0,1,2,3,4");
 * ```
 */
export function choose(key: Key, count: number, size: number, out?: Uint32Array): Uint32Array {
  if (!(Number.isInteger(count) && Number.isInteger(size) && 0 <= count && count <= size && size < 2 ** 32)) {
    throw new RangeError(`Cannot choose ${count} of ${size} indices: expected integers 0 ≤ count ≤ size < 2³²`);
  }
  if (!Array.isArray(key)) {
    throw new TypeError(`Cannot choose indices: the key is ${String(key)}, expected one such as key(1)`);
  }
  out ??= new Uint32Array(count);
  const words = (size + 31) >>> 5;
  if (bitmap.length < words) bitmap = new Uint32Array(words);
  bitmap.fill(0, 0, words);
  // The smaller one of the set and its complement is drawn.
  const few = Math.min(count, size - count), complement = few < count;
  for (let j = size - few, block = 0; j < size; j++, block++) {
    threefry(key[0], key[1], DRAW, block, pair, 0);
    const index = Math.min(j, Math.floor((pair[0]! * 2 ** 21 + (pair[1]! >>> 11)) * 2 ** -53 * (j + 1)));
    const taken = (bitmap[index >>> 5]! >>> (index & 31)) & 1, chosen = taken ? j : index;
    bitmap[chosen >>> 5]! |= 1 << (chosen & 31);
  }
  let n = 0;
  for (let w = 0; w < words; w++) {
    let set = complement ? ~bitmap[w]! : bitmap[w]!;
    if (w === words - 1 && (size & 31) !== 0) set &= (1 << (size & 31)) - 1;
    for (; set !== 0; set &= set - 1) out[n++] = w * 32 + 31 - Math.clz32(set & -set);
  }
  return out;
}

let bitmap = new Uint32Array(0);

function checkFrom(from: number): void {
  if (!(from >= 0 && from % 2 === 0)) {
    throw new RangeError(`Cannot draw from position ${from}: expected an even number ≥ 0`);
  }
}

const double = new Float64Array(1), halves = new Uint32Array(double.buffer);

/** The natural logarithm of a normal positive double. The error is about 1e-15 of max(1, |ln x|). */
function ln(x: number): number {
  double[0] = x;
  let exponent = (halves[1]! >>> 20) - 1023;
  halves[1] = (halves[1]! & 0xfffff) | 0x3ff00000;
  let m = double[0]!;
  if (m > 1.4142135623730951) m /= 2, exponent++;
  const s = (m - 1) / (m + 1), t = s * s;
  const series = 1 +
    t *
      (1 / 3 +
        t *
          (1 / 5 +
            t * (1 / 7 + t * (1 / 9 + t * (1 / 11 + t * (1 / 13 + t * (1 / 15 + t * (1 / 17 + t * (1 / 19)))))))));
  return exponent * 0.6931471805599453 + 2 * s * series;
}

let sine = 0, cosine = 0;

/** Sets `sine` and `cosine` to those of 2π · word / 2³², by Taylor polynomials, to about 1e-16. */
function sinCos(word: number): void {
  const quadrant = word >>> 30, x = ((word & 0x3fffffff) - 2 ** 29) * (Math.PI * 2 ** -31), t = x * x; // |x| ≤ π/4
  // Multiplying by constant fractions takes a third of the time of dividing by the factorials.
  const s = x *
    (1 + t * (-1 / 6 + t * (1 / 120 + t * (-1 / 5040 + t * (1 / 362880 + t * (-1 / 39916800 + t *
                            (1 / 6227020800 - t * (1 / 1307674368000))))))));
  const c = 1 + t * (-1 / 2 + t * (1 / 24 + t * (-1 / 720 + t * (1 / 40320 + t * (-1 / 3628800 + t *
                          (1 / 479001600 - t * (1 / 87178291200)))))));
  // x is counted from the middle of its quadrant: rotate by π/4, then by the quadrant.
  const a = (c - s) * Math.SQRT1_2, b = (c + s) * Math.SQRT1_2;
  cosine = quadrant === 0 ? a : quadrant === 1 ? -b : quadrant === 2 ? -a : b;
  sine = quadrant === 0 ? b : quadrant === 1 ? a : quadrant === 2 ? -b : -a;
}
