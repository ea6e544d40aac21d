/**
 * A binary range coder with adaptive models: the entropy code of every compressor that has one.
 *
 * Each decision (one bit) has a model: the probability that the bit is 0, learnt from the decisions that were coded with it
 * before. Encoder and decoder change the models by the same integer operations, so they agree on every engine, and no table
 * is sent. Larger symbols are coded as several decisions. A stream extends to the end of its message.
 *
 * The code for an interval is that of G. N. N. Martin (1979) with carry propagation, in the 32-bit binary form that LZMA
 * made common. At its n-th decision a model moves by 1/(n + 1.5) of the way, and never by less than 1/256, so that it learns
 * at once and keeps following.
 *
 * @module
 */

/**
 * Models of binary decisions: the probability of 0 in the upper 22 bits, and in the lower 8 how many decisions the model has
 * seen, at most {@link LIMIT}. It is a typed array, so that a set of models is copied with `set`.
 */
export type BitModels = Int32Array;

/** The most decisions that a model counts: from then on its probability moves by 1/(LIMIT + 1.5). */
const LIMIT = 254;
/** How far a model that has seen n decisions moves: 2¹⁴/(n + 1.5). */
const RATE = Int32Array.from({ length: LIMIT + 1 }, (_, n) => Math.floor(2 ** 14 / (n + 1.5)));
/** The model of a bit of which nothing is known. */
const EVEN = 2 ** 21 << 8;
/** While the interval is shorter than this, a byte is shifted out. */
const TOP = 2 ** 24;

/** `count` models that hold both bits equally likely. */
export function bitModels(count: number): BitModels {
  return new Int32Array(count).fill(EVEN);
}

/** A model that gives 0 this probability, held within 0.001 … 0.999, as if it had learnt it from `seen` decisions. */
export function bitModel(probability: number, seen: number): number {
  const p = Math.round(Math.min(0.999, Math.max(0.001, probability)) * 2 ** 22);
  return p << 8 | Math.min(seen, LIMIT);
}

/** Writes decisions to a byte array. */
export class RangeEncoder {
  #bytes: Uint8Array;
  #at: number;
  #start: number;
  /** The interval: where it starts, and its length. An array, because fields do not hold integers of 32 bits unboxed. */
  #state = Uint32Array.of(0, 0xffffffff);

  /** Starts at byte `at` of `bytes`, which must have room: bytes that do not fit are lost silently. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = this.#start = at;
  }

  /** The position after the bytes written so far. If nothing more is encoded, at most one byte follows. */
  get position(): number {
    return this.#at;
  }

  /** Codes one bit with models[i], and moves the model. */
  bit(models: BitModels, i: number, bit: number): void {
    const state = this.#state, model = models[i]!, p = model >>> 8, n = model & 255;
    const step = RATE[n]!, seen = n < LIMIT ? n + 1 : n;
    let range = state[1]!;
    // The probability as an odd number of 15 bits, which is never 0 and never 1.
    const bound = Math.imul(range >>> 15, (p >>> 7) | 1) >>> 0;
    if (bit === 0) {
      range = bound;
      models[i] = (p + (Math.imul((2 ** 22 - p) >> 6, step) >> 8)) << 8 | seen;
    } else {
      range = (range - bound) >>> 0;
      models[i] = (p - (Math.imul(p >> 6, step) >> 8)) << 8 | seen;
      this.#add(bound);
    }
    while (range < TOP) range = this.#shift(range);
    state[1] = range;
  }

  /**
   * Codes the lowest `count` bits of `value` (0 ≤ count ≤ 32) without a model. The decoder must ask for the same numbers of
   * bits, call by call.
   */
  raw(value: number, count: number): void {
    while (count > 0) {
      const part = Math.min(count, 8);
      count -= part;
      let range = this.#state[1]! >>> part;
      this.#add(((value >>> count) & ((1 << part) - 1)) * range);
      while (range < TOP) range = this.#shift(range);
      this.#state[1] = range;
    }
  }

  /** Ends the stream with the fewest bytes that single it out, and returns the position after them. */
  finish(): number {
    const low = this.#state[0]!, range = this.#state[1]!;
    if (low > 0 && low + range > 2 ** 32) {
      this.#carry();
    } else if (low > 0) {
      // The next multiple of 2²⁴ above the start lies within the interval.
      if (low > 2 ** 32 - TOP) this.#carry();
      else this.#bytes[this.#at++] = (low + TOP - 1) / TOP;
    }
    // The decoder reads zeros past the end, so zeros at the end are left out.
    while (this.#at > this.#start && this.#bytes[this.#at - 1] === 0) this.#at--;
    return this.#at;
  }

  #add(amount: number): void {
    const low = this.#state[0]! + amount;
    this.#state[0] = low;
    if (low >= 2 ** 32) this.#carry();
  }

  #shift(range: number): number {
    const low = this.#state[0]!;
    this.#bytes[this.#at++] = low >>> 24;
    this.#state[0] = low << 8;
    return (range << 8) >>> 0;
  }

  #carry(): void {
    let i = this.#at - 1;
    while (i >= this.#start && (this.#bytes[i] = (this.#bytes[i]! + 1) & 255) === 0) i--;
  }
}

/**
 * Reads what {@link RangeEncoder} wrote, given equal models. Any bytes decode to some decisions. Bytes that no encoder
 * writes are found by {@link RangeDecoder.end}, or by the caller, because the decisions make no sense.
 */
export class RangeDecoder {
  #bytes: Uint8Array;
  #at: number;
  #start: number;
  /** Where the code lies in the interval, and the interval's length. */
  #state = Uint32Array.of(0, 0xffffffff);
  /** Whether something was read that no encoder writes. */
  #foreign = false;

  /** Starts at byte `at` of `bytes`. The stream is all that follows. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = this.#start = at;
    for (let i = 0; i < 4; i++) this.#shift(0);
  }

  /** The next bit, read with models[i], which is moved. */
  bit(models: BitModels, i: number): number {
    const state = this.#state, model = models[i]!, p = model >>> 8, n = model & 255;
    const step = RATE[n]!, seen = n < LIMIT ? n + 1 : n, code = state[0]!;
    let range = state[1]!, bit = 0;
    const bound = Math.imul(range >>> 15, (p >>> 7) | 1) >>> 0;
    if (code < bound) {
      range = bound;
      models[i] = (p + (Math.imul((2 ** 22 - p) >> 6, step) >> 8)) << 8 | seen;
    } else {
      bit = 1;
      range = (range - bound) >>> 0;
      models[i] = (p - (Math.imul(p >> 6, step) >> 8)) << 8 | seen;
      state[0] = code - bound;
    }
    while (range < TOP) range = this.#shift(range);
    state[1] = range;
    return bit;
  }

  /** The next `count` bits (0 ≤ count ≤ 32), which were coded without a model. */
  raw(count: number): number {
    let value = 0;
    while (count > 0) {
      const part = Math.min(count, 8);
      count -= part;
      let range = this.#state[1]! >>> part;
      let digit = Math.floor(this.#state[0]! / range);
      // The remainder of the division, at the end of the interval, belongs to no digit, and no encoder goes there.
      if (digit >= 1 << part) digit = (1 << part) - 1, this.#foreign = true;
      this.#state[0]! -= digit * range;
      value = (value << part) | digit;
      while (range < TOP) range = this.#shift(range);
      this.#state[1] = range;
    }
    return value >>> 0;
  }

  /**
   * Checks that the message ends with the bytes that {@link RangeEncoder.finish} writes after these decisions.
   *
   * @throws {RangeError} if it does not: a byte is missing, superfluous or one that no encoder writes
   */
  end(): void {
    const bytes = this.#bytes, { length } = bytes, code = this.#state[0]!, range = this.#state[1]!;
    // The last four bytes that were read. An encoder writes at most the first of them, and zeros are read after it.
    let window = 0;
    for (let i = this.#at - 4; i < this.#at; i++) window = (window << 8 | (i < length ? bytes[i]! : 0)) >>> 0;
    const low = (window - code) >>> 0;
    const expected = low === 0 || low + range > 2 ** 32 ? 0 : Math.ceil(low / TOP) * TOP;
    const surplus = length > Math.max(this.#at - 3, this.#start);
    const zero = length > this.#start && bytes[length - 1] === 0;
    if (surplus || zero || this.#foreign || code >= range || window !== expected) {
      throw new RangeError(`Cannot read the message: its ${length} bytes do not end as an encoder ends them`);
    }
  }

  #shift(range: number): number {
    const next = this.#at < this.#bytes.length ? this.#bytes[this.#at]! : 0;
    this.#at++;
    this.#state[0] = (this.#state[0]! << 8) | next;
    return (range << 8) >>> 0;
  }
}
