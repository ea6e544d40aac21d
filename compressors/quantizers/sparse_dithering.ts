import { checkBoolean, checkChoice, checkNumber, checkOptions } from "../../options.ts";
import { BitReader, BitWriter } from "../coding/bits.ts";
import { refuse, requireBitLength } from "../coding/refuse.ts";
import { floatOf, floorFloat32, MAX_FLOAT32, wordOf } from "../kernels/float32.ts";
import type { Compressor, ContractiveCompressor, UnbiasedCompressor } from "../compressor.ts";
import { decodeCountMask, encodeCountMask } from "../coding/count_mask.ts";
import { packLevels, roundNearest, roundRandom, scatterLevels, unpackLevels } from "../kernels/sparse_levels.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import type { Key } from "../../random.ts";
import { readLogScale, sentLogScale, writeLogScale } from "../coding/log_scale.ts";
import { scratch } from "../kernels/scratch.ts";
import { entropyCoded } from "../coding/sparse_entropy.ts";

/** How {@linkcode sparseDithering} rounds, and how finely. */
export interface SparseDitheringOptions {
  /**
   * ν ≥ 1e-9: the step is 2 ‖x‖ √(ν / d). The error is at most ν ‖x‖² when rounding to nearest (then ν < 1), and ω ≤ ν when
   * rounding at random. Default 0.25 at random, 0.1 to nearest: those of the paper's experiments.
   */
  readonly nu?: number;
  /** "random" (default): unbiased. "nearest": contractive, for every draw. */
  readonly rounding?: "random" | "nearest";
  /** "paper" (default): the paper's code. "entropy": adaptive models, shorter but for few or very sparse numbers. */
  readonly coding?: "paper" | "entropy";
  /**
   * "float32" (default) sends the step in full. "log" sends one byte: the step is rounded down to one of four an octave
   * between 2⁻⁴⁵ and 2¹⁸ (outside, five bytes), which costs at most a third of a bit a number.
   */
  readonly scale?: "float32" | "log";
  /**
   * Decode levels to the mean of their numbers, in four more bytes. Only for coding "entropy" to nearest. Default false.
   */
  readonly centroids?: boolean;
  /**
   * Round jointly: in half of the states of a trellis of 8 the levels are shifted by half a step, and the path is taken
   * that costs least in squared error plus this times 2 ln 2 · D times bits, D the error of a fine trellis. 1 is the
   * slope of the rate-distortion function; more saves bits at more error, always within ν. Only for coding "entropy" to
   * nearest. Default 0: each number by itself.
   */
  readonly rateDistortion?: number;
}

const NAME = "sparseDithering";
const positionsOf = scratch(Uint32Array), levelsOf = scratch(Int32Array);
const SMALLEST = 2 ** -126;

/**
 * Sparse Dithering: every number is rounded to an even multiple of ‖x‖ √(ν / d), in the paper's own code.
 *
 * With `rounding: "random"` unbiased: E‖C(x) − x‖² = ‖x‖² (4 ν / d) Σ g(vᵢ), vᵢ = |xᵢ| √(d / ν) / 2 ‖x‖,
 * g(v) = frac(v) (1 − frac(v)); ω = ν for ν ≤ 1, 2 √ν − 1 above. With `rounding: "nearest"` contractive, α = ν, for
 * every draw; about ν / 3 on spread-out vectors.
 *
 * The message is a scale of 31 bits, the number of zeros, which they are (log₂ C(d, zeros) + 2 bits), a sign for each
 * other number and its level in unary: at most d (log₂ 3 + 1 / 2√ν) + log₂ d + 33 bits in the mean when random; for a
 * gaussian vector 2.4 bits a number at ν = 0.25. Magnitudes beyond float32 are clamped to it; vectors whose step would be
 * below 2⁻¹²⁶ are rounded to multiples of that. Encodes a million numbers in about 35 ms,
 * decodes in 26.
 *
 * In an entropy code, rounding to nearest with `centroids` stands 0.26 bits a number above ½ log₂(1/error) on a gaussian
 * vector (no scalar rounding does better than 0.25 where the error is below 0.25), and with `rateDistortion: 1` 0.08 for
 * errors of .05 to .4; far below on the heavy-tailed and clustered gradients of networks.
 *
 * Source: "Optimal Gradient Compression for Distributed and Federated Learning", arXiv:2010.03246, section 4.
 *
 * @throws {RangeError} unless ν ≥ 1e-9, and ν < 1 where rounding to nearest
 *
 * @example
 * ```ts
 * import { compress, decompress, key, sparseDithering } from "@gradwire/tfjs";
 * const nearest = sparseDithering({ nu: 0.1, rounding: "nearest" }), x = Float32Array.of(1, -2, 3, -4);
 * const message = compress(nearest, x, key(1));
 * console.assert(message.length === 6); // 44 bits for 128
 * console.assert(decompress(nearest, message, key(1), 4).every((value, i) => Math.abs(value - x[i]!) < 0.9));
 * ```
 */
export function sparseDithering(
  options: SparseDitheringOptions & { readonly rounding: "nearest" },
): ContractiveCompressor;
/** Rounding at random: unbiased. */
export function sparseDithering(
  options?: SparseDitheringOptions & { readonly rounding?: "random" },
): UnbiasedCompressor;
/** Rounding known when it runs. */
export function sparseDithering(options?: SparseDitheringOptions): UnbiasedCompressor | ContractiveCompressor;
export function sparseDithering(
  options: SparseDitheringOptions = {},
): UnbiasedCompressor | ContractiveCompressor {
  const doing = `make ${NAME}`;
  checkOptions(doing, options, ["nu", "rounding", "coding", "scale", "centroids", "rateDistortion"]);
  const { rounding = "random", coding = "paper", scale: width = "float32", centroids = false, rateDistortion = 0 } =
    options;
  const nearest = rounding === "nearest", { nu = nearest ? 0.1 : 0.25 } = options;
  checkChoice(doing, "rounding", rounding, ["random", "nearest"]);
  checkNumber(doing, "nu", nu, nearest ? { least: 1e-9, below: 1, note: "where nearest contracts" } : { least: 1e-9 });
  checkChoice(doing, "coding", coding, ["paper", "entropy"]);
  checkChoice(doing, "scale", width, ["float32", "log"]);
  checkBoolean(doing, "centroids", centroids);
  checkNumber(doing, "rateDistortion", rateDistortion, { least: 0, most: 100 });
  if ((centroids || rateDistortion > 0) && !(coding === "entropy" && rounding === "nearest")) {
    throw new RangeError(
      `Cannot make ${NAME}: centroids or rateDistortion is given, expected coding "entropy" and rounding "nearest", ` +
        `not ${coding} and ${rounding}`,
    );
  }
  const round = (vector: Float32Array, step: number, limit: number, key: Key) => {
    const positions = positionsOf(vector.length), levels = levelsOf(vector.length);
    const count = rounding === "nearest"
      ? roundNearest(vector, 1 / step, limit, positions, levels)
      : roundRandom(vector, 1 / step, limit, key, positions, levels);
    return { positions, levels, count };
  };
  const paper: Pick<Compressor, "maxByteLength" | "encode" | "decodeAdd"> = {
    // Of τ d zeros: the mask, signs and what rounding up adds to levels take H(τ) + 2 (1 − τ) ≤ log₂ 5 bits a number, and
    // log₂ 5 < 2.33 leaves room for the mask's rounding; Σ vᵢ ≤ d / 2√ν. Then 63 bits before, 2 of the mask's end.
    // A step rounded down by a fifth at most lengthens the levels.
    maxByteLength: (size) => 9 + Math.ceil(size * (2.33 + (width === "log" ? 0.63 : 0.5000001) / Math.sqrt(nu)) / 8),
    encode(vector, key, message) {
      const size = vector.length, exact = stepOf(2 * Math.sqrt(nu * sumOfSquares(vector) / size));
      const step = width === "log" ? sentLogScale(exact) : exact;
      const writer = new BitWriter(message, width === "log" ? writeLogScale(step, message) : 0);
      if (width === "float32") writer.write(wordOf(step), 31);
      if (!(step > 0)) return writer.finish();
      const { positions, levels, count } = round(vector, step, limitOf(step), key);
      writer.write(size - count, 32 - Math.clz32(size));
      const { position } = writer;
      writer.finish();
      const end = packLevels(levels, count, message, encodeCountMask(positions, count, size, message, position));
      return (end + 7) >>> 3;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length,
        { value, end: at } = width === "log" ? readLogScale(NAME, message) : { value: 0, end: 0 };
      const reader = new BitReader(message, at), step = width === "log" ? value : floatOf(reader.read(31));
      if (step === 0) return reader.end();
      if (!(step <= MAX_FLOAT32)) refuse(NAME, `its step is ${step}, expected a finite number`);
      const zeros = reader.read(32 - Math.clz32(size)), count = size - zeros;
      if (count < 0) refuse(NAME, `it has ${zeros} zeros, expected at most ${size}`);
      const positions = positionsOf(size), levels = levelsOf(size);
      const start = decodeCountMask(message, reader.position, count, size, positions);
      if (start + 2 * count > 8 * message.length) refuse(NAME, "it ends before its levels");
      const end = unpackLevels(message, start, count, limitOf(step), levels);
      if (end < 0) refuse(NAME, "a level exceeds float32");
      requireBitLength(NAME, message, end);
      scatterLevels(positions, levels, count, scale * step, into);
    },
  };
  const compressor: Compressor = {
    name: NAME,
    options: { nu, rounding, ...options },
    ...(coding === "paper" ? paper : entropyCoded({
      nu,
      step: stepOf,
      round: (vector, step, most, key) => round(vector, step, Math.min(most, limitOf(step)), key),
      scale: width,
      centroids,
      rateDistortion,
    })),
  };
  return rounding === "nearest"
    ? { ...compressor, alpha: () => nu, everyDraw: true }
    : { ...compressor, omega: () => nu <= 1 ? nu : 2 * Math.sqrt(nu) - 1 };
}

/** The step as float32, not above what was promised, nor outside of normal float32; 0 for the zero vector. */
function stepOf(promised: number): number {
  if (!(promised > 0)) return 0;
  return Math.max(floorFloat32(promised), SMALLEST);
}

/** The largest level whose value is finite in float32. */
function limitOf(step: number): number {
  return Math.min(2 ** 31 - 1, Math.floor(MAX_FLOAT32 / step));
}
