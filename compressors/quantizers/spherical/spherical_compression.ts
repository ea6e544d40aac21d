import { checkBoolean, checkChoice, checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { fold } from "../../../random.ts";
import { RangeDecoder, RangeEncoder } from "../../coding/range_coder.ts";
import { refuse } from "../../coding/refuse.ts";
import type { Compressor, ContractiveCompressor, UnbiasedCompressor } from "../../compressor.ts";
import { candidate, Candidates, cap, searchOnce } from "../../kernels/cap_search.ts";
import { clampFloat32, floatOf, wordOf } from "../../kernels/float32.ts";
import { blockCaps, defaultBlock } from "./block_caps.ts";
import { blockNorms, mantissaBits, spreadOf } from "./block_norms.ts";

/** Options of {@linkcode sphericalCompression}. */
export interface SphericalOptions<Unbiased extends boolean = boolean> {
  /** The size of the caps: the largest squared error of a block relative to its squared norm, from 1e-6 to 0.99. */
  readonly alpha: number;
  /**
   * How many numbers make a block: 1 to 2¹⁶. The encoder tries 1/P(alpha, block) candidates for a block on average, which must
   * be at most 1e8; P is given with {@linkcode sphericalCompression}. Default: the most for which that is at most 1000.
   */
  readonly block?: number;
  /** Whether the decoded point is scaled so that the result is unbiased. Default false, which bounds the error of every draw. */
  readonly unbiased?: Unbiased;
  /**
   * How the norm of the largest block is sent: "float32" (default) in 31 bits, or "log" in 6 bits and a few bits of mantissa,
   * with an escape outside of 2⁻⁴⁵ … 2¹⁷.
   */
  readonly norm?: "float32" | "log";
  /**
   * How many candidates are tried before a block is sent as it is, in units of 1/P: above 0, at most 1000. Default 40, with
   * which one block in e⁴⁰ is sent so.
   */
  readonly budget?: number;
}

const NAME = "sphericalCompression";

/**
 * Spherical compression: for each block x of the vector, a message has the number of the first of the key's random points on the
 * unit sphere, the candidates, that lies in a cap around x, and the norm of x.
 *
 * Candidates are independent, uniform on the sphere and drawn from the key and their number alone, so that decoding one takes
 * O(d) steps for blocks of d numbers. The cap is {y : ⟨y, x⟩ ≥ √(1 − a) ‖x‖}, with a a little below `alpha`; it covers the share
 * P(a, d) = I_a((d − 1)/2, 1/2) / 2 of the sphere, I being the regularised incomplete beta function, and the mean of
 * ⟨y, x⟩ / ‖x‖ over it is m. All blocks of a message search the same candidates, which leaves the law of each block as it is.
 * The largest norm is sent by itself, the others as ratios to it of few bits. What rounding the norms adds to the error is taken
 * off the caps; where `unbiased`, norms are rounded at random and what that adds is part of ω.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw with α = `alpha`; the mean is 2 − a − 2 √(1 − a) m. With `unbiased`,
 *   unbiased with variance ω ‖x‖² for every vector, ω = 1/m² − 1 ≤ alpha / (1 − alpha), and what the norms add.
 * - Message: at most log₂(1/P) + 1.6 bits a block, in a Golomb–Rice code, and its norm.
 * - Memory: the candidates that were reached, at most 16 MB, or twice that where blocks do not divide the vector. Encoding
 *   takes d/P steps a block: 1 to 2 s for a million numbers in blocks of 8 at alpha = 0.25, decoding 0.2 s.
 * - Source: Albasyoni, Safaryan, Condat, Richtárik: "Optimal gradient compression for distributed and federated learning",
 *   arXiv:2010.03246.
 * - Choose it where bits matter and the encoder has seconds.
 *
 * @throws {RangeError} if an option is out of its range, or blocks are too large for alpha
 *
 * @example
 * ```ts
 * import { compress, decompress, key, sphericalCompression } from "@gradwire/tfjs";
 * const compressor = sphericalCompression({ alpha: 0.25, block: 8 }), vector = Float32Array.of(3, 1, -4, 1, -5, 9, -2, 6);
 * const decoded = decompress(compressor, compress(compressor, vector, key(1)), key(1), 8);
 * const error = vector.reduce((sum, v, i) => sum + (decoded[i]! - v) ** 2, 0);
 * console.assert(error <= 0.25 * vector.reduce((sum, v) => sum + v * v, 0));
 * ```
 */
export function sphericalCompression(options: SphericalOptions<true> & { unbiased: true }): UnbiasedCompressor;
/** Contractive in every draw. */
export function sphericalCompression(options: SphericalOptions<false>): ContractiveCompressor;
/** One of the two, as options say that are only known when the program runs. */
export function sphericalCompression(options: SphericalOptions): Compressor;
export function sphericalCompression(options: SphericalOptions): Compressor {
  const known = ["alpha", "block", "unbiased", "norm", "budget"];
  const doing = `make ${NAME}`;
  const { alpha, unbiased = false, norm = "float32", budget = 40 } = checkOptions(doing, options, known);
  checkNumber(doing, "alpha", alpha, { least: 1e-6, most: 0.99 });
  checkBoolean(doing, "unbiased", unbiased);
  checkChoice(doing, "norm", norm, ["float32", "log"]);
  checkNumber(doing, "budget", budget, { above: 0, most: 1000 });
  const { block = defaultBlock(alpha) } = options;
  checkInteger(doing, "block", block, 1, 2 ** 16);
  if (!(cap(alpha, block).probability >= 1e-8)) {
    throw new RangeError(
      `Cannot make ${NAME}: a block of ${block} at alpha = ${alpha} takes ${1 / cap(alpha, block).probability} ` +
        `candidates on average, expected at most 1e8: choose a smaller block`,
    );
  }

  const mantissa = mantissaBits(alpha, block, unbiased), norms = blockNorms(NAME, mantissa, unbiased, norm === "log");
  const exact = blockCaps(alpha, budget, unbiased, 0);
  const rounded = blockCaps(alpha, budget, unbiased, spreadOf(mantissa, unbiased));
  // All blocks of a message but a shorter last one search the same candidates.
  const candidates = new Candidates(), lastCandidates = new Candidates(), point = new Float32Array(block + 1);

  /** The norm of a single block is sent in full, unless it is logarithmic. */
  const capsFor = (size: number) => size > block || norm === "log" ? rounded : exact;
  /** The largest ω among blocks of at most `size` numbers. */
  const omega = (size: number) => size === 0 ? 0 : capsFor(size).omega(Math.min(block, size));

  return {
    name: NAME,
    options: { ...options, alpha, block },
    maxByteLength: (size) => size === 0 ? 0 : 4 * size + 10 + (size >> 10),
    ...(unbiased ? { omega } : { alpha: () => alpha, everyDraw: true }),
    encode(vector, key, message) {
      const size = vector.length, single = size <= block, caps = capsFor(size), limit = 4 * size + 8;
      if (size === 0) return 0;
      let most = 0;
      for (let from = 0; from < size; from += block) most = Math.max(most, normOf(vector, from, block));
      const encoder = new RangeEncoder(message), base = norms.write(encoder, most, key, single);
      if (most === 0) return encoder.finish();
      if (!single) candidates.reset(fold(key, 1), block), lastCandidates.reset(fold(key, 3), size % block);
      norms.reset();
      for (let from = 0, index = 0; from < size; from += block, index++) {
        const count = Math.min(block, size - from), norm = normOf(vector, from, count);
        if (!single && !norms.writeRatio(encoder, norm / base, key, index)) continue;
        if (count === 1) {
          encoder.raw(vector[from]! < 0 ? 1 : 0, 1);
          continue;
        }
        const { threshold, rice, budget, escape } = caps.of(count);
        const t = single
          ? searchOnce(fold(key, 1), vector, threshold, norm, budget)
          : (count === block ? candidates : lastCandidates).search(vector, from, threshold * norm, budget);
        // The high bits in unary. The decoder knows that the escape is the largest number and needs no 0 after it.
        const high = t < 0 ? escape : t >>> rice;
        for (let i = 0; i < high; i++) encoder.raw(1, 1);
        if (t < 0) writeNumbers(encoder, vector, from, count);
        else encoder.raw(0, 1), encoder.raw(t, rice);
        if (encoder.position > limit) break;
      }
      if (encoder.position <= limit) return encoder.finish();
      const whole = new RangeEncoder(message);
      norms.writeEverything(whole), writeNumbers(whole, vector, 0, size);
      return whole.finish();
    },
    decodeAdd(message, key, scale, into) {
      const size = into.length, single = size <= block, caps = capsFor(size), decoder = new RangeDecoder(message);
      const base = size === 0 ? 0 : norms.read(decoder);
      if (base === undefined) addNumbers(decoder, scale, into, 0, size);
      if (base === undefined || base === 0) return decoder.end();
      const add = (at: number, value: number) => into[at]! += scale * clampFloat32(value);
      const key1 = fold(key, 1), key3 = fold(key, 3);
      norms.reset();
      let some = single;
      for (let from = 0; from < size; from += block) {
        const count = Math.min(block, size - from), ratio = single ? 1 : norms.readRatio(decoder);
        if (ratio === undefined) continue;
        const norm = base * ratio;
        some = true;
        if (count === 1) {
          add(from, decoder.raw(1) === 1 ? -norm : norm);
          continue;
        }
        const { gain, rice, budget, escape } = caps.of(count);
        let high = 0;
        while (high < escape && decoder.raw(1) === 1) high++;
        if (high === escape) {
          addNumbers(decoder, scale, into, from, count);
          continue;
        }
        const t = high * 2 ** rice + decoder.raw(rice);
        if (t >= budget) refuse(NAME, `a candidate has number ${t}, expected below ${budget}`);
        candidate(count === block || single ? key1 : key3, t, count, point);
        for (let i = 0; i < count; i++) add(from + i, norm * gain * point[i]!);
      }
      // The largest norm is that of some block.
      if (!some) refuse(NAME, `no block has the norm ${base}`);
      decoder.end();
    },
  } satisfies Compressor;
}

/** The norm of up to `count` numbers from index `from` on. */
function normOf(vector: Float32Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from, end = Math.min(from + count, vector.length); i < end; i++) sum += vector[i]! * vector[i]!;
  return Math.sqrt(sum);
}

/** Writes numbers as they are. */
function writeNumbers(encoder: RangeEncoder, vector: Float32Array, from: number, count: number): void {
  for (let i = from; i < from + count; i++) encoder.raw(wordOf(vector[i]!), 32);
}

/** Adds what {@linkcode writeNumbers} wrote. */
function addNumbers(decoder: RangeDecoder, scale: number, into: Float32Array, from: number, count: number): void {
  for (let i = from; i < from + count; i++) {
    const value = floatOf(decoder.raw(32));
    if (!Number.isFinite(value)) refuse(NAME, `it holds ${value}`);
    into[i]! += scale * value;
  }
}
