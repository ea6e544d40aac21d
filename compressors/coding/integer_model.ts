/** Signed integers of unknown distribution, in the fewest bits that adaptive models find. @module */

import { BitReader, BitWriter } from "./bits.ts";
import { bitModels, RangeDecoder, RangeEncoder } from "./range_coder.ts";

/** Models in a context: one for the first decision, 32 for steps up and 32 for steps down from the expected token. */
const SLOTS = 65;
/** There are 24 classes of the running mean and 3 of the last magnitude. */
const CONTEXTS = 3 * 24;
/** Where the models of the bits below the leading one begin, four for each token, and those of the sign; how many in all. */
const MANTISSA = CONTEXTS * SLOTS, SIGN = MANTISSA + 32 * 4, MODELS = SIGN + 3;

/** A model of which nothing is known. */
const EVEN = bitModels(1)[0]!;

/**
 * Adaptive models of a sequence of signed integers of magnitude below 2³⁰; encoder and decoder have one each. The models
 * learn the distribution of an integer given the magnitudes before it, of which they know a running mean, which moves by
 * 1/16 of the way at each integer, and the last one. So runs of zeros and stretches of large values cost few bits.
 *
 * An integer's token is 0 for 0 and 1 + ⌊log₂ magnitude⌋ else. It is coded in unary, up or down from the token that the mean
 * suggests: one decision where zeros prevail. Then come the sign, given the sign of the last integer that was not 0, and the
 * bits below the leading one, the first two of them with models. Each decision takes some 10 ns. Memory: 20 kB.
 */
export class IntegerModel {
  readonly #models = bitModels(MODELS);
  /** The running mean of the magnitudes, in 1/256. */
  #mean = 0;
  /** The last magnitude. */
  #last = 0;
  /** The last sign: 1 for plus, 2 for minus, 0 where there was none yet. */
  #sign = 0;

  /** Forgets all integers. */
  reset(): void {
    this.#models.fill(EVEN);
    this.#mean = this.#last = this.#sign = 0;
  }

  /** Codes the next integer. */
  encode(encoder: RangeEncoder, value: number): void {
    const models = this.#models, magnitude = Math.abs(value), token = 32 - Math.clz32(magnitude);
    const context = contextOf(this.#mean, this.#last), expected = expectedOf(this.#mean);
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
      // How many bits below the leading one are still to be coded.
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

  /** The next integer. Its magnitude is below 2³¹, whatever the bytes are. */
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

/** Where the models of a context begin. Its classes are half octaves of the mean, and whether the last was 0, 1 or more. */
function contextOf(mean: number, last: number): number {
  // In 1/32, below 2²¹. All means below 1/16 are in one class.
  const m = mean >> 3, octave = 31 - Math.clz32(m | 1), half = octave === 0 ? 0 : (m >> (octave - 1)) & 1;
  return SLOTS * (3 * Math.min(23, 2 * octave + half) + Math.min(last, 2));
}

/** The token from which the unary code starts: about that of three quarters of the running mean. */
function expectedOf(mean: number): number {
  // It depends on the class alone, so that each model of a context has one meaning.
  const m = mean >> 3, octave = 31 - Math.clz32(m | 1);
  return octave < 5 ? 0 : Math.min(octave, 11) - 4;
}

/** The most bytes that {@link encodeIntegers} writes for `count` integers of magnitude at most `most`. */
export function integersByteLength(count: number, most: number): number {
  return Math.ceil((1 + count * width(most)) / 8);
}

/** Bits of an integer of magnitude at most `most` in the form of fixed width. */
function width(most: number): number {
  return most === 0 ? 0 : 33 - Math.clz32(most);
}

const model = new IntegerModel();

/**
 * Writes signed integers of magnitude at most `most` (below 2³⁰) from byte `at` on, and returns the position after the last
 * byte. They are coded with an {@link IntegerModel}, or in fixed width where that is shorter.
 *
 * | first bit | what follows                                               |
 * | --------- | ---------------------------------------------------------- |
 * | 0         | the integers as a range coder's stream                     |
 * | 1         | each integer as `most` + value, in ⌊log₂ most⌋ + 2 bits    |
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
 * @throws {RangeError} if a magnitude exceeds `most`, or the message does not end as an encoder ends it
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
