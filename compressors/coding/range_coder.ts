/**
 * The entropy coder of every `coding: "entropy"`: a binary range coder with adaptive models.
 *
 * Each decision (a bit) has a model, the probability that it is 0, learnt from the decisions coded before. Encoder and
 * decoder make the same integer steps, so they agree on every engine; no logarithm and no table is sent. Larger symbols
 * are a few decisions each. A stream ends with its message: what follows it would be read as part of it.
 *
 * Method: the carry-propagating range coder of G. N. N. Martin (1979) in the 32-bit binary form that LZMA made common;
 * the probability moves by 1/(n + 1.5) at its n-th decision, down to 1/256, so that a model learns at once and keeps
 * following.
 *
 * @module
 */

import { BitReader, BitWriter } from "./bits.ts";

/**
 * Models of binary decisions: the probability of 0 in 22 bits, above the number of decisions seen in 8 (at most
 * {@link LIMIT}). A plain array, so that a set of models is copied with `set`.
 */
export type BitModels = Int32Array;

/** How many decisions a model remembers at most: its probability then moves by 1/(LIMIT + 1.5). */
const LIMIT = 254;
/** 2¹⁴/(n + 1.5). */
const RATE = Int32Array.from({ length: LIMIT + 1 }, (_, n) => Math.floor(2 ** 14 / (n + 1.5)));
const EVEN = 2 ** 21 << 8, TOP = 2 ** 24;

/** `count` models that know nothing: both bits equally likely. */
export function bitModels(count: number): BitModels {
  return new Int32Array(count).fill(EVEN);
}

/** A model that starts at a probability of 0 (taken into [0.001, 0.999]) as if it had seen `seen` decisions. */
export function bitModel(probability: number, seen: number): number {
  const p = Math.round(Math.min(0.999, Math.max(0.001, probability)) * 2 ** 22);
  return p << 8 | Math.min(seen, LIMIT);
}

/** Writes decisions to a byte array. Working memory: none. */
export class RangeEncoder {
  #bytes: Uint8Array;
  #at: number;
  #start: number;
  // low, range. In an array because fields do not hold 32 bits unboxed.
  #state = Uint32Array.of(0, 0xffffffff);

  /** Starts at byte `at` of `bytes`, which must have room: what does not fit is lost silently. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = this.#start = at;
  }

  /** The position after the last byte that is settled; at most one more will follow unless more is encoded. */
  get position(): number {
    return this.#at;
  }

  /** Codes one bit with models[i], and teaches the model. */
  bit(models: BitModels, i: number, bit: number): void {
    const state = this.#state, model = models[i]!, p = model >>> 8, n = model & 255;
    const step = RATE[n]!, seen = n < LIMIT ? n + 1 : n;
    let range = state[1]!;
    // The probability as an odd number of 15 bits: never 0 and never 1.
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

  /** Codes the lowest `count` bits of `value` (0 ≤ count ≤ 32), each equally likely, with no model. The decoder asks for the same counts. */
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

  /** Ends the stream with the fewest bytes that tell it from every other, and returns the position after them. */
  finish(): number {
    const low = this.#state[0]!, range = this.#state[1]!;
    if (low > 0 && low + range > 2 ** 32) {
      this.#carry();
    } else if (low > 0) {
      // The multiple of 2²⁴ next above low is below low + range.
      if (low > 2 ** 32 - TOP) this.#carry();
      else this.#bytes[this.#at++] = (low + TOP - 1) / TOP;
    }
    // The decoder reads zeros past the end.
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
 * Reads what {@link RangeEncoder} wrote, given equal models. Any bytes decode to some decisions; those that are no
 * encoder's are found by {@link RangeDecoder.end} or by what the decisions mean.
 */
export class RangeDecoder {
  #bytes: Uint8Array;
  #at: number;
  #start: number;
  // code − low, range
  #state = Uint32Array.of(0, 0xffffffff);
  #foreign = false;

  /** Starts at byte `at` of `bytes` and takes all that follows as its stream. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = this.#start = at;
    for (let i = 0; i < 4; i++) this.#shift(0);
  }

  /** The next decision, made with models[i], which is taught. */
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

  /** The next `count` bits (0 ≤ count ≤ 32) that were coded with no model. */
  raw(count: number): number {
    let value = 0;
    while (count > 0) {
      const part = Math.min(count, 8);
      count -= part;
      let range = this.#state[1]! >>> part;
      let digit = Math.floor(this.#state[0]! / range);
      // What division leaves over at the top of the range belongs to no digit: no encoder goes there.
      if (digit >= 1 << part) digit = (1 << part) - 1, this.#foreign = true;
      this.#state[0]! -= digit * range;
      value = (value << part) | digit;
      while (range < TOP) range = this.#shift(range);
      this.#state[1] = range;
    }
    return value >>> 0;
  }

  /**
   * Checks that the message ends with the very bytes that {@link RangeEncoder.finish} writes after these decisions.
   *
   * @throws {RangeError} if it does not: it has a byte too many or too few, or one that no encoder chooses
   */
  end(): void {
    const bytes = this.#bytes, { length } = bytes, code = this.#state[0]!, range = this.#state[1]!;
    // The last four bytes that were read, of which an encoder writes the first at most; what follows are zeros.
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

/** Per context: the first decision, 32 upwards and 32 downwards. */
const SLOTS = 65, CONTEXTS = 3 * 24, MANTISSA = CONTEXTS * SLOTS, SIGN = MANTISSA + 32 * 4, MODELS = SIGN + 3;

/**
 * Adaptive models of a sequence of signed integers of magnitude below 2³⁰, for one end of a stream. They learn the
 * distribution as it goes, in contexts of the magnitudes before: a running mean (1/16) and the last one, so runs of zeros
 * and stretches of larger values pay. An integer takes one decision where zeros prevail, and about log₂ of its
 * probability otherwise, at some 10 ns each. Working memory: 20 kB.
 */
export class IntegerModel {
  #models = bitModels(MODELS);
  #mean = 0;
  #last = 0;
  #sign = 0;

  /** Forgets all. */
  reset(): void {
    this.#models.fill(EVEN);
    this.#mean = this.#last = this.#sign = 0;
  }

  /** Codes the next integer. */
  encode(encoder: RangeEncoder, value: number): void {
    const models = this.#models, magnitude = Math.abs(value), token = 32 - Math.clz32(magnitude);
    const context = contextOf(this.#mean, this.#last), expected = expectedOf(this.#mean);
    // The token (0, or 1 + ⌊log₂ magnitude⌋) in unary away from the expected one.
    let t = expected;
    if (expected > 0) encoder.bit(models, context, token >= expected ? 1 : 0);
    if (token >= expected) {
      for (; t < token; t++) encoder.bit(models, context + 1 + t, 1);
      if (t < 31) encoder.bit(models, context + 1 + t, 0);
    } else {
      for (t--; t > token; t--) encoder.bit(models, context + 33 + t, 1);
      if (t > 0) encoder.bit(models, context + 33 + t, 0);
    }
    if (token > 0) {
      const sign = value < 0 ? 1 : 0;
      encoder.bit(models, SIGN + this.#sign, sign);
      this.#sign = 1 + sign;
      // Below the leading one: two modelled bits, the rest raw.
      let rest = token - 1;
      if (rest > 0) {
        const top = (magnitude >>> --rest) & 1;
        encoder.bit(models, MANTISSA + 4 * token, top);
        if (rest > 0) encoder.bit(models, MANTISSA + 4 * token + 1 + top, (magnitude >>> --rest) & 1);
        if (rest > 0) encoder.raw(magnitude, rest);
      }
    }
    this.#follow(magnitude);
  }

  /** The next integer: of magnitude below 2³¹ from any bytes. */
  decode(decoder: RangeDecoder): number {
    const models = this.#models, context = contextOf(this.#mean, this.#last), expected = expectedOf(this.#mean);
    let token = expected, magnitude = 0, value = 0;
    if (expected === 0 || decoder.bit(models, context) === 1) {
      while (token < 31 && decoder.bit(models, context + 1 + token) === 1) token++;
    } else {
      token--;
      while (token > 0 && decoder.bit(models, context + 33 + token) === 1) token--;
    }
    if (token > 0) {
      const sign = decoder.bit(models, SIGN + this.#sign);
      this.#sign = 1 + sign;
      magnitude = 1;
      let rest = token - 1;
      if (rest > 0) {
        const top = decoder.bit(models, MANTISSA + 4 * token);
        magnitude = 2 | top, rest--;
        if (rest > 0) magnitude = 2 * magnitude | decoder.bit(models, MANTISSA + 4 * token + 1 + top), rest--;
        if (rest > 0) magnitude = magnitude << rest | decoder.raw(rest);
      }
      value = sign === 1 ? -magnitude : magnitude;
    }
    this.#follow(magnitude);
    return value;
  }

  #follow(magnitude: number): void {
    this.#mean += (Math.min(magnitude, 0xffff) * 256 - this.#mean) >> 4;
    this.#last = magnitude;
  }
}

/** Where the models of a context start: half octaves of the running mean, and whether the last was 0, 1 or more. */
function contextOf(mean: number, last: number): number {
  // mean is in 256ths, below 2²⁴; below 1/16 all is one class.
  const m = mean >> 3, octave = 31 - Math.clz32(m | 1), half = octave === 0 ? 0 : (m >> (octave - 1)) & 1;
  return SLOTS * (3 * Math.min(23, 2 * octave + half) + Math.min(last, 2));
}

/** The token to start from: that of three quarters of the running mean. */
function expectedOf(mean: number): number {
  // From the class alone, so that every model of a context has one meaning.
  const m = mean >> 3, octave = 31 - Math.clz32(m | 1);
  return octave < 5 ? 0 : Math.min(octave, 11) - 4;
}

/**
 * The most bytes that {@link encodeIntegers} writes for `count` integers of magnitude at most `most`: those of fixed
 * width, and one bit.
 */
export function integersByteLength(count: number, most: number): number {
  return Math.ceil((1 + count * width(most)) / 8);
}

function width(most: number): number {
  return most === 0 ? 0 : 33 - Math.clz32(most);
}

const model = new IntegerModel();

/**
 * Codes signed integers of magnitude at most `most` (below 2³⁰) into the bytes from `at` on, with an
 * {@link IntegerModel}; returns the position after the last. Falls back to fixed width where that is shorter, so
 * {@link integersByteLength} bounds it.
 *
 * Layout: the first bit is 0 for the adaptive stream and 1 for fixed width (`most` + value in ⌊log₂ most⌋ + 2 bits).
 *
 * @example
 * ```ts
 * import { decodeIntegers, encodeIntegers, integersByteLength } from "@gradwire/tfjs/compressors";
 * const values = Int32Array.of(0, 0, -1, 0, 5), bytes = new Uint8Array(integersByteLength(5, 7));
 * const message = bytes.subarray(0, encodeIntegers(values, 7, bytes, 0));
 * console.assert(decodeIntegers(message, 0, 7, new Int32Array(5)).join() === "0,0,-1,0,5");
 * ```
 */
export function encodeIntegers(values: Int32Array, most: number, message: Uint8Array, at: number): number {
  const limit = at + integersByteLength(values.length, most), encoder = new RangeEncoder(message, at);
  encoder.raw(0, 1);
  model.reset();
  for (let i = 0; i < values.length; i++) {
    model.encode(encoder, values[i]!);
    if (encoder.position >= limit) return encodeFixed(values, most, message, at);
  }
  const end = encoder.finish();
  return end > limit ? encodeFixed(values, most, message, at) : end;
}

/**
 * Fills `out` with the integers that {@link encodeIntegers} wrote from `at` to the message's end, and returns it.
 *
 * @throws {RangeError} if a magnitude exceeds `most` or the message is longer than needed
 */
export function decodeIntegers(message: Uint8Array, at: number, most: number, out: Int32Array): Int32Array {
  if (at < message.length && message[at]! >= 128) return decodeFixed(message, at, most, out);
  const decoder = new RangeDecoder(message, at);
  decoder.raw(1);
  model.reset();
  for (let i = 0; i < out.length; i++) {
    const value = model.decode(decoder);
    if (value > most || value < -most) tooLarge(value, most);
    out[i] = value;
  }
  decoder.end();
  return out;
}

function encodeFixed(values: Int32Array, most: number, message: Uint8Array, at: number): number {
  const writer = new BitWriter(message, at), bits = width(most);
  writer.write(1, 1);
  for (let i = 0; i < values.length; i++) writer.write(values[i]! + most, bits);
  return writer.finish();
}

function decodeFixed(message: Uint8Array, at: number, most: number, out: Int32Array): Int32Array {
  const reader = new BitReader(message, at), bits = width(most);
  reader.read(1);
  for (let i = 0; i < out.length; i++) {
    const value = reader.read(bits) - most;
    if (value > most) tooLarge(value, most);
    out[i] = value;
  }
  reader.end();
  return out;
}

function tooLarge(magnitude: number, most: number): never {
  throw new RangeError(`Cannot read the message: an integer is ${magnitude}, expected a magnitude of at most ${most}`);
}
