import { checkNumber, checkOptions, show } from "../../options.ts";
import { bits, choose, fold, type Key } from "../../random.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { RangeDecoder, RangeEncoder } from "../coding/range_coder.ts";
import { addDither, drawDither, removeSigns } from "../kernels/dither_draws.ts";
import { DitherCoder } from "../coding/dither_coder.ts";
import { ditherModel } from "../coding/dither_model.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import {
  BLOCK,
  nearestPath,
  PathMemory,
  squaredError,
  trellis,
  type TrellisStates,
  trellisStates,
} from "../coding/trellis.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import { readNorm, sentNorm, writeNorm } from "../coding/norm.ts";
import { refuse, requireLength } from "../coding/refuse.ts";
import { scratch } from "../kernels/scratch.ts";

export type { TrellisStates };

/** Options of {@linkcode subtractiveDithering}. */
export interface SubtractiveDitheringOptions {
  /** ω, the variance relative to ‖x‖², which every vector x has exactly: 1e-8 to 1e6. */
  readonly omega: number;
  /** States of the trellis. More of them save bits and cost the encoder time; 1 rounds each number by itself. Default 8. */
  readonly states?: TrellisStates;
  /**
   * The share of the numbers that is sent, above 1/(1 + omega) and at most 1. The key tells which, so that their indices cost
   * nothing. Default 1 for omega ≤ 1.5, else 2.5/(1 + omega), where a number that is sent costs half a bit: best for dense
   * vectors. Sparse vectors take fewer bits with a smaller share: at omega = 4 and one number in a hundred not 0, 0.23 bits
   * a number with 1, 0.13 by default (0.5) and 0.09 with 0.3.
   */
  readonly keep?: number;
}

/**
 * Subtractive dithering on a trellis, entropy coded: of the unbiased compressors here the one nearest to the limit of
 * ½ log₂(1 + 1/ω) bits a number.
 *
 * For each number both ends draw a dither u, uniform on [0, 4), and a sign σ. The encoder finds the path z of the trellis
 * nearest to σ x / s + u by the Viterbi algorithm; the decoder takes σ s (z − u). So the error has the same law for every
 * vector, and σ makes its mean 0. The step is s with s² = ω ‖x‖² / (d G), for d numbers and G the trellis's mean squared error.
 * The integers are coded by adaptive models, given u and the magnitudes of the numbers before, so that heavy tails and sparse
 * stretches take fewer bits than Gaussian numbers. (u has 15 bits for each number above an offset common to the message:
 * each u is uniform to 47 bits, but with more than one state the joint law depends on the vector in its fourth digit.)
 *
 * - Guarantee: unbiased with variance ω ‖x‖², exactly, for every vector.
 * - Message: the norm as float32 and the integers. On a Gaussian vector of 2²⁰ numbers they take, above the limit and for ω from
 *   0.01 to 1, 0.26 bits a number with 1 state, 0.10 with 4, 0.085 with 8 (0.09 at ω = 1.5 and 2) and 0.06 with 64.
 * - Memory: 2 MB at 256 states, and 4 bytes for each number that is sent where `keep` is below 1. A million numbers at
 *   ω = 0.5 take 0.1 s with 8 states and 0.4 s with 64, and are decoded in 0.05 s.
 * - Source: Ziv, 1985, and Zamir, Feder, 1992, for entropy-coded dithered quantization; Ungerboeck's codes, and Marcellin,
 *   Fischer, 1990, for the trellis.
 * - Choose it where bytes matter most.
 *
 * @throws {RangeError} if an option is out of its range
 *
 * @example
 * ```ts
 * import { compress, decompress, key, subtractiveDithering } from "@gradwire/tfjs";
 * const compressor = subtractiveDithering({ omega: 0.5 });
 * const message = compress(compressor, new Float32Array(1000).fill(1), key(1));
 * console.assert(message.length < 140); // 1.1 bits a coordinate
 * const vector = decompress(compressor, message, key(1), 1000);
 * const error = vector.reduce((sum, v) => sum + (v - 1) ** 2, 0) / 1000;
 * console.assert(0.4 < error && error < 0.6);
 * ```
 */
export function subtractiveDithering(options: SubtractiveDitheringOptions): UnbiasedCompressor {
  const name = "subtractiveDithering", doing = `make ${name}`;
  const { omega, states = 8, keep: given } = checkOptions(doing, options, ["omega", "states", "keep"]);
  checkNumber(doing, "omega", omega, { least: 1e-8, most: 1e6 });
  if (!trellisStates.includes(states)) {
    throw new RangeError(`Cannot ${doing}: states is ${show(states)}, expected one of ${trellisStates.join(", ")}`);
  }
  const keep = given === undefined ? omega > 1.5 ? 2.5 / (1 + omega) : 1 : given;
  if (!(typeof keep === "number" && keep * (1 + omega) > 1 && keep <= 1)) {
    throw new RangeError(
      `Cannot ${doing}: keep is ${show(keep)}, expected a number > 1/(1 + omega) = ${1 / (1 + omega)} and ≤ 1`,
    );
  }
  const code = trellis(states), memory = new PathMemory(code);
  const coder = new DitherCoder(code, ditherModel(code, keep * (1 + omega) - 1));
  const values = new Float64Array(BLOCK), integers = new Int32Array(BLOCK), draws = new Uint16Array(BLOCK + 1);
  const words = new Uint32Array(BLOCK / 2), word = new Uint32Array(1), indicesOf = scratch(Uint32Array);

  /** How many of `size` numbers are sent, and the step s relative to their norm. */
  function shape(size: number): { count: number; step: number } {
    const count = Math.ceil(keep * size);
    return { count, step: Math.sqrt(((1 + omega) * count / size - 1) / squaredError(code, count)) };
  }

  /** The indices of the numbers that are sent; undefined where all are. */
  function chosen(key: Key, count: number, size: number): Uint32Array | undefined {
    return count === size ? undefined : choose(fold(key, 3), count, size, indicesOf(count));
  }

  /** The part of the dither below the 15 bits that each number has of its own: all numbers of a message share it. */
  const offsetOf = (key: Key) => bits(fold(key, 2), word)[0]! / 2 ** 32;

  /** How far an integer may lie from its dither, in steps of 2: no number exceeds the norm. */
  const most = (step: number) => Math.ceil((1 / step + 3) / 2) + 1;

  const maxByteLength = (size: number) => {
    if (size === 0) return 0;
    // Without models an integer is sent as Elias gamma of twice its distance from the dither in steps of 2; the norm bounds the
    // mean square of the distances.
    const { count, step } = shape(size), each = 2 * Math.log2(1 / (step * Math.sqrt(count)) + 4) + 1;
    return 12 + Math.ceil(count * (each / 8 + 2 ** -10));
  };

  return {
    name,
    options: { omega, states, ...(options.keep === undefined ? {} : { keep }) },
    omega: () => omega,
    maxByteLength,
    encode(vector, key, message) {
      const size = vector.length;
      if (size === 0) return 0;
      const { count, step } = shape(size), indices = chosen(key, count, size);
      let squares = 0;
      if (indices === undefined) squares = sumOfSquares(vector);
      else for (let i = 0; i < count; i++) squares += vector[indices[i]!]! ** 2;
      const length = sentNorm(Math.sqrt(squares));
      writeNorm(length, message);
      if (length === 0) return 4;
      const gain = 1 / (step * length), offset = offsetOf(key), ditherKey = fold(key, 1), room = maxByteLength(size);
      for (const raw of [false, true]) {
        const encoder = new RangeEncoder(message, 4);
        encoder.raw(raw ? 1 : 0, 1);
        coder.reset(raw, most(step));
        for (let from = 0; from < count && encoder.position < room; from += BLOCK) {
          const here = Math.min(BLOCK, count - from);
          if (indices === undefined) { for (let i = 0; i < here; i++) values[i] = vector[from + i]!; }
          else for (let i = 0; i < here; i++) values[i] = vector[indices[from + i]!]!;
          drawDither(ditherKey, from, draws, here, words);
          addDither(values, draws, here, gain, offset);
          nearestPath(code, coder.state, values, here, integers, memory);
          coder.encode(encoder, draws, integers, here);
        }
        encoder.raw(coder.state, code.bits);
        if (encoder.position < room) return encoder.finish();
      }
      throw new RangeError(`Cannot encode ${name}: the vector is not finite`);
    },
    decodeAdd(message, key, scale, into) {
      const size = into.length;
      if (size === 0 && message.length === 0) return;
      const length = readNorm(name, message, 0, Math.sqrt(size) * MAX_FLOAT32),
        { count, step } = shape(size),
        indices = chosen(key, count, size);
      if (size === 0 || length === 0) return requireLength(name, message, size === 0 ? 0 : 4, size);
      const gain = step * length * size / count, offset = offsetOf(key), ditherKey = fold(key, 1);
      const decoder = new RangeDecoder(message, 4);
      coder.reset(decoder.raw(1) === 1, most(step));
      for (let from = 0; from < count; from += BLOCK) {
        const here = Math.min(BLOCK, count - from);
        drawDither(ditherKey, from, draws, here, words);
        coder.decode(decoder, draws, offset, values, here);
        removeSigns(values, draws, here, gain);
        if (indices === undefined) { for (let i = 0; i < here; i++) into[from + i]! += scale * values[i]!; }
        else for (let i = 0; i < here; i++) into[indices[from + i]!]! += scale * values[i]!;
      }
      const state = decoder.raw(code.bits);
      if (state !== coder.state) refuse(name, `the path ends in state ${coder.state} of ${states}, expected ${state}`);
      decoder.end();
    },
  };
}
