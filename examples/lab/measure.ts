/** What a compressor does to a vector: bits, error, distance to the bound, time. @module */

import { compress, type Compressor, decompress, describe, fold, isContractive, isUnbiased, key } from "../../mod.ts";
import { bitsForAllVectors } from "../figures/bounds.ts";
import { digits } from "../terminal/table.ts";

/** What was measured of one compressor on one vector. */
export interface Measured {
  readonly compressor: Compressor;
  /** Bits a number, the mean over draws. */
  readonly bits: number;
  /** ‖C(x) − x‖² / ‖x‖², the mean over draws. */
  readonly error: number;
  /** ω or α. */
  readonly declared: number;
  /** α: the error, divided by (1 + error) where the compressor is unbiased. */
  readonly alpha: number;
  /** Bits a number above the bound for all vectors, ½ log₂(1/α). */
  readonly above: number;
  /** Nanoseconds a number, the least over draws. */
  readonly encode: number;
  readonly decode: number;
}

/** Measures a compressor with that many keys. */
export function measure(compressor: Compressor, x: Float32Array, draws: number, seed: number): Measured {
  const { length } = x, norm = x.reduce((sum, v) => sum + v * v, 0);
  const buffer = new Uint8Array(compressor.maxByteLength(length));
  let bytes = 0, error = 0, encode = Infinity, decode = Infinity;
  // The draw before the first is compiled on the way, and does not count.
  for (let draw = -1; draw < draws; draw++) {
    const k = fold(key(seed), draw + 1), start = performance.now();
    const message = compress(compressor, x, k, buffer), middle = performance.now();
    const y = decompress(compressor, message, k, length), end = performance.now();
    if (draw < 0) continue;
    bytes += message.length / draws;
    error += y.reduce((sum, v, i) => sum + (v - x[i]!) ** 2, 0) / norm / draws;
    encode = Math.min(encode, middle - start), decode = Math.min(decode, end - middle);
  }
  const unbiased = isUnbiased(compressor) && !(isContractive(compressor) && compressor.alpha(length) === 0);
  const bits = 8 * bytes / length, alpha = unbiased ? error / (1 + error) : error;
  return {
    compressor,
    bits,
    error,
    declared: unbiased ? compressor.omega(length) : isContractive(compressor) ? compressor.alpha(length) : NaN,
    alpha,
    above: bits - bitsForAllVectors(alpha),
    encode: 1e6 * encode / length,
    decode: 1e6 * decode / length,
  };
}

/** Bits a number that draws and interpolation may account for. */
const MARGIN = 0.01;

/**
 * Says who needs fewer bits than the trellis (subtractive dithering) at equal error on this vector, and why that can be.
 * The trellis' bits at the other's error are interpolated between its own settings.
 */
export function verdict(x: Float32Array, all: readonly Measured[]): string {
  const isTrellis = ({ compressor: { name } }: Measured) => name === "subtractiveDithering";
  const states = Math.max(0, ...all.filter(isTrellis).map(({ compressor }) => Number(compressor.options.states)));
  const trellis = all.filter((one) => isTrellis(one) && one.compressor.options.states === states)
    .sort((a, b) => a.alpha - b.alpha);
  const margins = all.filter((one) => !isTrellis(one)).flatMap((one) => {
    const next = trellis.findIndex(({ alpha }) => alpha >= one.alpha);
    if (next < 1) return [];
    const [low, high] = [trellis[next - 1]!, trellis[next]!];
    const part = Math.log(one.alpha / low.alpha) / Math.log(high.alpha / low.alpha);
    return [{ one, saved: low.bits + part * (high.bits - low.bits) - one.bits }];
  });
  if (margins.length === 0) return "";
  const better = margins.filter(({ saved }) => saved > MARGIN).sort((a, b) => b.saved - a.saved);
  const name = `the trellis of ${states} states`;
  if (better.length === 0) {
    return `At equal error none of the ${margins.length} compressors within its range needs fewer bits than ${name}.`;
  }
  const squares = x.map((v) => v * v).sort(), total = squares.reduce((sum, v) => sum + v, 0);
  let few = 0;
  for (let sum = 0; few < x.length && sum < .99 * total; few++) sum += squares[x.length - 1 - few]!;
  const unbiased = better.filter(({ one }) => isUnbiased(one.compressor));
  return [
    `At equal error these need fewer bits than ${name}:`,
    ...better.map(({ one, saved }) => `  ${describe(one.compressor)}: ${digits(saved, 2)} bits a number fewer`),
    unbiased.length > 0
      ? `Of these ${unbiased.length} are unbiased.`
      : "None of them is unbiased: of the compressors that declare ω the trellis needs the fewest bits.",
    `${digits(100 * few / x.length, 2)} % of the numbers hold 99 % of ‖x‖². Rounding to the nearest level makes almost`,
    "all others zeros, which an entropy coder sends for next to nothing, at the price of a bias. A dither is added to every",
    "number, and so costs bits where there is nothing to send.",
  ].join("\n");
}
