import { checkBoolean, checkChoice, checkInteger, checkNumber, checkOptions } from "../../options.ts";
import { fold, type Key, uniform } from "../../random.ts";
import type { Compressor, ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";
import { IntegerModel } from "../coding/integer_model.ts";
import { RangeDecoder, RangeEncoder } from "../coding/range_coder.ts";
import { candidate, Candidates, cap, searchOnce } from "../kernels/cap_search.ts";
import { riceBitsOf } from "../coding/rice.ts";
import { fromLeadingBits, leadingBits } from "../coding/log_scale.ts";
import { clampFloat32 } from "../kernels/float32.ts";
import { normFrom31, normTo31 } from "../coding/norm.ts";
import { refuse } from "../coding/refuse.ts";

/** Options of {@linkcode sphericalCompression}. */
export interface SphericalOptions<Unbiased extends boolean = boolean> {
  /** Size of the caps: the squared error of a block relative to the block's squared norm, from 1e-6 to 0.99. */
  readonly alpha: number;
  /**
   * Numbers a block. A block costs the encoder 1/P(alpha, block) candidates, on average; that must be at most 1e8.
   * Default: the most for which it is at most 1000.
   */
  readonly block?: number;
  /** Scales by 1/m instead of √(1 − alpha), so that the mean is the vector. Default false. */
  readonly unbiased?: Unbiased;
  /**
   * How the norm travels (that of the largest block): "float32" in 31 bits or "log" in 6 and a few bits of mantissa, with
   * an escape outside 2⁻⁴⁵ … 2¹⁷. Default "float32".
   */
  readonly norm?: "float32" | "log";
  /** Candidates tried before a block is sent as it is: this many times 1/P. Default 40, which fails with e⁻⁴⁰. */
  readonly budget?: number;
}

/** In place of a norm: the numbers follow as they are. */
const EVERYTHING = 0x7fffffff;
const NAME = "sphericalCompression";

/**
 * Spherical compression: sends the number T of the first of the key's random points on the sphere that lies in the cap
 * around x. In the class C(alpha): ‖C(x) − x‖² ≤ alpha ‖x‖² in every draw; mean 2 − a − 2 √(1 − a) m. `unbiased`: in U(ω)
 * with equality, ω = 1/m² − 1 ≤ alpha/(1 − alpha).
 *
 * Candidates yᵗ are independent and uniform on the unit sphere, drawn from (key, t) alone, so decoding takes O(d). Yᵗ is
 * accepted if ⟨yᵗ, x⟩ ≥ √(1 − a) ‖x‖, which happens with probability P(a, d) = I_a((d − 1)/2, 1/2) / 2; T is geometric
 * and costs at most log₂(1/P) + 1.6 bits in Golomb–Rice. Large vectors go in blocks. All blocks of a message search the
 * same candidates (the law of each block is the same as alone); one norm is sent in full, the others as a ratio to it
 * of few bits, entropy coded. What rounding the norms costs is taken off the caps (biased), or is rounded at random
 * and added to ω (unbiased), so that the declared constants hold.
 *
 * Time: encoding is O(d/P), a million numbers in blocks of 8 at alpha = .25 take 1 to 2 s in plain TypeScript; decoding
 * 0.2 s. Working memory: the candidates that were reached, at most 16 MB, and twice that where blocks do not divide d.
 *
 * Source: Albasyoni, Safaryan, Condat, Richtárik: "Optimal gradient compression for distributed and federated learning"
 * (arXiv:2010.03246).
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
/** With a bound for every draw. */
export function sphericalCompression(options: SphericalOptions<false>): ContractiveCompressor;
/** Either, known when it runs. */
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

  const mantissa = mantissaBits(alpha, block, unbiased), exact = new Shapes(alpha, budget, unbiased, 0);
  const rounded = new Shapes(alpha, budget, unbiased, unbiased ? variance(mantissa) : worst(mantissa));
  const first = new Candidates(), last = new Candidates(), ratios = new IntegerModel();
  const point = new Float32Array(block + 1), pair = new Float32Array(2), float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  // Codes of the logarithmic norm: 0, then from 2⁻⁴⁵ upwards, then the escape.
  const bits = 6 + mantissa,
    least = leadingBits(2 ** -45, mantissa),
    top = 2 ** bits - 1,
    one = leadingBits(1, mantissa);

  /** The largest ω among blocks of at most `size` numbers. */
  const omega = (size: number) => size === 0 ? 0 : shapesFor(size).omega(Math.min(block, size));
  const shapesFor = (size: number) => size > block || norm === "log" ? rounded : exact;

  /** The code of a number ≥ 2⁻¹²⁶ next to it; a random one of its neighbours where unbiased, with it as the mean. */
  function round(value: number, key: Key, draw: number): number {
    const below = leadingBits(value, mantissa),
      low = fromLeadingBits(below, mantissa),
      high = fromLeadingBits(below + 1, mantissa);
    const part = (value - low) / (high - low);
    return part > (unbiased && part > 0 ? uniform(fold(key, 2), pair, 2 * draw)[0]! : 0.5) ? below + 1 : below;
  }

  /** Writes the norm, or one not below it where blocks refer to it, and returns what the decoder will read. */
  function writeNorm(encoder: RangeEncoder, value: number, key: Key, single: boolean): number {
    if (norm === "log") {
      let code = 0;
      if (value >= 2 ** -45 && value < 2 ** 20) {
        code = leadingBits(value, mantissa);
        if (single) code = round(value, key, 0);
        else if (fromLeadingBits(code, mantissa) < value) code++;
        code = Math.min(code - least + 1, top);
      } else if (value > 0) code = top;
      encoder.raw(code, bits);
      if (code < top) return code === 0 ? 0 : fromLeadingBits(code + least - 1, mantissa);
    }
    const sent = normTo31(value);
    encoder.raw(sent, 31);
    return normFrom31(sent);
  }

  function writeAll(vector: Float32Array, message: Uint8Array): number {
    const encoder = new RangeEncoder(message);
    if (norm === "log") encoder.raw(top, bits);
    encoder.raw(EVERYTHING, 31);
    for (let i = 0; i < vector.length; i++) {
      float[0] = vector[i]!;
      encoder.raw(word[0]!, 32);
    }
    return encoder.finish();
  }

  const compressor = {
    name: NAME,
    options: { ...options, alpha, block },
    maxByteLength: (size: number) => size === 0 ? 0 : 4 * size + 10 + (size >> 10),
    ...(unbiased ? { omega } : { alpha: () => alpha, everyDraw: true }),
    encode(vector: Float32Array, key: Key, message: Uint8Array): number {
      const size = vector.length, single = size <= block, shapes = shapesFor(size), limit = 4 * size + 8;
      if (size === 0) return 0;
      let most = 0;
      for (let from = 0; from < size; from += block) most = Math.max(most, length(vector, from, block));
      const encoder = new RangeEncoder(message), base = writeNorm(encoder, most, key, single);
      if (most === 0) return encoder.finish();
      if (!single) first.reset(fold(key, 1), block), last.reset(fold(key, 3), size % block);
      ratios.reset();
      for (let from = 0, index = 0; from < size; from += block, index++) {
        const count = Math.min(block, size - from), norm = length(vector, from, count);
        if (!single) {
          // Below 2⁻¹²⁶ of the largest a block counts as zero.
          const ratio = norm / base, code = ratio < 2 ** -126 ? 0 : Math.max(1, 1 + one - round(ratio, key, index));
          ratios.encode(encoder, code);
          if (code === 0) continue;
        }
        if (count === 1) {
          encoder.raw(vector[from]! < 0 ? 1 : 0, 1);
          continue;
        }
        const { threshold, rice, budget } = shapes.of(count);
        const t = single
          ? searchOnce(fold(key, 1), vector, threshold, norm, budget)
          : (count === block ? first : last).search(vector, from, threshold * norm, budget);
        // Rice's quotient in unary; one more than any is the escape.
        const quotient = t < 0 ? escapeOf(budget, rice) : t >>> rice;
        for (let i = 0; i < quotient; i++) encoder.raw(1, 1);
        if (t >= 0) {
          encoder.raw(0, 1);
          encoder.raw(t, rice);
        } else {
          for (let i = 0; i < count; i++) {
            float[0] = vector[from + i]!;
            encoder.raw(word[0]!, 32);
          }
        }
        if (encoder.position > limit) break;
      }
      return encoder.position > limit ? writeAll(vector, message) : encoder.finish();
    },
    decodeAdd(message: Uint8Array, key: Key, scale: number, into: Float32Array): void {
      const size = into.length, single = size <= block, shapes = shapesFor(size), decoder = new RangeDecoder(message);
      const add = (at: number, value: number) => {
        into[at]! += scale * clampFloat32(value);
      };
      const addExactly = (from: number, count: number) => {
        for (let i = 0; i < count; i++) {
          word[0] = decoder.raw(32);
          if (!Number.isFinite(float[0]!)) refuse(NAME, `it holds ${float[0]}`);
          into[from + i]! += scale * float[0]!;
        }
      };
      let base = 0;
      const code = size === 0 ? 0 : norm === "log" ? decoder.raw(bits) : top;
      if (code === top) {
        const sent = decoder.raw(31);
        if (sent === EVERYTHING) {
          addExactly(0, size);
          return decoder.end();
        }
        base = normFrom31(sent);
      } else if (code > 0) base = fromLeadingBits(code + least - 1, mantissa);
      if (base === 0) return decoder.end();
      const ofFirst = fold(key, 1), ofLast = fold(key, 3);
      ratios.reset();
      let some = single;
      for (let from = 0; from < size; from += block) {
        const count = Math.min(block, size - from);
        let norm = base;
        if (!single) {
          const code = ratios.decode(decoder);
          if (code < 0 || code > one + 1) refuse(NAME, `a ratio of norms has code ${code}`);
          if (code === 0) continue;
          some = true;
          norm *= fromLeadingBits(one + 1 - code, mantissa);
        }
        if (count === 1) {
          add(from, decoder.raw(1) === 1 ? -norm : norm);
          continue;
        }
        const { gain, rice, budget } = shapes.of(count), escape = escapeOf(budget, rice);
        let quotient = 0;
        while (quotient < escape && decoder.raw(1) === 1) quotient++;
        if (quotient === escape) {
          addExactly(from, count);
          continue;
        }
        const t = quotient * 2 ** rice + decoder.raw(rice);
        if (t >= budget) refuse(NAME, `a candidate has number ${t}, expected below ${budget}`);
        candidate(count === block || single ? ofFirst : ofLast, t, count, point);
        for (let i = 0; i < count; i++) add(from + i, norm * gain * point[i]!);
      }
      // The norm is that of a block.
      if (!some) refuse(NAME, `no block has the norm ${base}`);
      decoder.end();
    },
  };
  return compressor;
}

/** What blocks of each size need, from float64 arithmetic that both ends share. */
class Shapes {
  readonly #known = new Map<number, Shape>();
  readonly #alpha: number;
  readonly #budget: number;
  readonly #unbiased: boolean;
  readonly #spread: number;

  /** `spread`: what rounding the norm adds, at worst to α or in the mean to ω. */
  constructor(alpha: number, budget: number, unbiased: boolean, spread: number) {
    this.#alpha = alpha, this.#budget = budget, this.#unbiased = unbiased, this.#spread = spread;
  }

  of(size: number): Shape {
    let shape = this.#known.get(size);
    if (shape === undefined) {
      // A millionth is kept for what float32 loses.
      const a = (this.#unbiased ? this.#alpha : (this.#alpha - this.#spread) / (1 - this.#spread)) * (1 - 1e-6);
      const { probability, mean } = cap(a, size), threshold = Math.sqrt(1 - a);
      shape = {
        threshold,
        gain: this.#unbiased ? 1 / mean : threshold,
        rice: riceBitsOf(probability),
        budget: Math.ceil(this.#budget / probability),
      };
      this.#known.set(size, shape);
    }
    return shape;
  }

  omega(size: number): number {
    const { gain } = this.of(size);
    return (size === 1 ? 1 : gain * gain) * (1 + this.#spread) - 1;
  }
}

interface Shape {
  /** √(1 − a): the least ⟨y, x⟩ / ‖x‖. */
  readonly threshold: number;
  /** What y is multiplied by, beside the norm. */
  readonly gain: number;
  readonly rice: number;
  /** Candidates tried at most. */
  readonly budget: number;
}

/** The quotient that stands for no candidate. */
function escapeOf(budget: number, rice: number): number {
  return Math.floor((budget - 1) / 2 ** rice) + 1;
}

function length(vector: Float32Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from, end = Math.min(from + count, vector.length); i < end; i++) sum += vector[i]! * vector[i]!;
  return Math.sqrt(sum);
}

/** The largest squared relative error of rounding to so many bits of mantissa. */
function worst(mantissa: number): number {
  const half = 2 ** -(mantissa + 1);
  return (half / (1 + half)) ** 2;
}

/** The largest relative variance of rounding at random to so many bits of mantissa. */
function variance(mantissa: number): number {
  const step = 2 ** -mantissa;
  return step * step / (4 * (1 + step));
}

/**
 * Bits of mantissa for norms. Unbiased: the fewest that add at most 2 % to ω. Else: where the message is shortest, weighing
 * them against the smaller cap.
 */
function mantissaBits(alpha: number, block: number, unbiased: boolean): number {
  let best = 12, most = 0;
  for (let mantissa = 12; mantissa >= 0; mantissa--) {
    if (unbiased) {
      const omega = 1 / cap(alpha, block).mean ** 2 - 1;
      if (variance(mantissa) * (1 + omega) <= 0.02 * omega) best = mantissa;
    } else if (worst(mantissa) <= alpha / 2) {
      const { probability } = cap((alpha - worst(mantissa)) / (1 - worst(mantissa)), block);
      if (probability * 2 ** -mantissa > most) best = mantissa, most = probability * 2 ** -mantissa;
    }
  }
  return best;
}

/** The most numbers for which 1/P is at most 1000. */
function defaultBlock(alpha: number): number {
  let block = 1;
  while (block < 1024 && cap(alpha, block + 1).probability >= 1e-3) block++;
  return block;
}
