/**
 * How the integers of a trellis are modelled before they are range coded.
 *
 * A trellis allows integers of one parity at a time. Among these the integer nearest to the dither is called the origin. The
 * others are counted from it in steps of 2: j is positive on the side of the origin where the dither lies. The high part
 * ⌊j / 2^shift⌋ is coded with models and the low `shift` bits without. A high part from −reach to reach is a token; all others
 * share one more token, the escape. A token is coded as the decisions on its way down a Huffman tree.
 *
 * At each node of the tree there is a model for each context. A context is how far the dither is from the origin (its bin),
 * and how large the numbers before were (their class): a running mean of their magnitudes, in quarters of an octave.
 *
 * @module
 */

import { UNIT } from "../kernels/dither_draws.ts";
import { huffman, type HuffmanTree } from "./huffman.ts";
import { bitModel, type BitModels } from "./range_coder.ts";
import type { Trellis } from "./trellis.ts";

/** How many classes of the mean magnitude there are. */
export const CLASSES = 40;
/** The Gaussian models at the start of a message count as if they had been learnt from so many decisions. */
const SEEN = 20;

/** What encoder and decoder know before the first number. */
export interface DitherModel extends HuffmanTree {
  /** How many low bits of j are coded without models. */
  readonly shift: number;
  /** How many bins there are for the distance of the dither from the origin. */
  readonly bins: number;
  /** The tokens are −reach … reach, and then the escape. */
  readonly reach: number;
  /** The models at the start, at (class · bins + bin) · nodes + node. */
  readonly models: BitModels;
  /** The mean magnitude at the start, in 1/64 of 2^shift/UNIT. */
  readonly mean: number;
  /** The quarter of an octave that is class 0, as {@link quarterOctaves} counts them. */
  readonly base: number;
  /** Larger magnitudes enter the mean as this one, 32 times the mean at the start; in 1/UNIT. */
  readonly ceiling: number;
}

/**
 * The model for Gaussian numbers of mean square 1, quantised with the mean square error `omega`. The error of the trellis is
 * `limit` if its integers are 1 apart, so they are √(omega / limit) apart here.
 *
 * @param dither false for integers without dither: small means tell much about them, and get classes of their own
 */
export function ditherModel({ limit }: Trellis, omega: number, dither = true): DitherModel {
  const step = Math.sqrt(omega / limit);
  let shift = 0;
  // The low bits are raw while the integers that share a high part span at most a sixth of the deviation, which costs 0.003
  // bits a number.
  while (step * 2 ** (shift + 1) < 1 / 6) shift++;
  const bins = shift > 0 ? 1 : 16, unit = 2 ** shift;
  const reach = Math.max(4, Math.ceil(3 / (step * unit))), tokens = 2 * reach + 2, escape = tokens - 1;

  /** The probabilities of the tokens in a bin, for numbers of this variance: the Gaussian density at four places of each. */
  const probabilities = (bin: number, variance: number): Float64Array => {
    const weight = new Float64Array(tokens);
    let total = 0;
    for (let token = 0; token < escape; token++) {
      for (let part = 0; part < 4; part++) {
        const j = (token - reach + (shift > 0 ? (part + 0.5) / 4 : 0)) * unit - (shift > 0 ? 0.5 : 0);
        const off = shift > 0 ? 0.5 : (bin + (part + 0.5) / 4) / bins;
        const distance = (2 * j - off) * step;
        weight[token]! += exponential(distance * distance / (2 * (variance + omega)));
      }
      total += weight[token]!;
    }
    for (let token = 0; token < escape; token++) weight[token]! /= total;
    weight[escape] = 1e-4;
    return weight;
  };

  const average = new Float64Array(tokens).fill(2 ** -12);
  for (let bin = 0; bin < bins; bin++) probabilities(bin, 1).forEach((w, token) => average[token]! += w / bins);
  const { children, paths } = huffman(average), nodes = children.length / 2;

  const scale = 64 * UNIT / unit,
    base = quarterOctaves(Math.round(0.56 * Math.sqrt(limit) * scale / (dither ? 1 : 32)) || 1);
  const models = new Int32Array(CLASSES * bins * nodes), ones = new Float64Array(nodes), sums = new Float64Array(nodes);
  for (let c = 0; c < CLASSES; c++) {
    // The variance that belongs to the mean magnitude in the middle of the class, drawn towards 1 because that mean is an
    // estimate: the mean magnitude of a Gaussian is 0.8 deviations.
    const middle = base + c + 0.5, octave = Math.floor(middle / 4);
    const root = 2 ** octave * (1 + (middle / 4 - octave)) / (0.8 * scale);
    const variance = Math.max(0.02, (root * root - limit) * step * step);
    const drawn = Math.sqrt(variance * Math.sqrt(variance));
    for (let bin = 0; bin < bins; bin++) {
      const weight = probabilities(bin, drawn);
      ones.fill(1e-5), sums.fill(2e-5);
      for (let token = 0; token < tokens; token++) {
        for (let node = 0, path = paths[token]!; node >= 0; path >>= 1) {
          sums[node]! += weight[token]!;
          if (path & 1) ones[node]! += weight[token]!;
          node = children[2 * node + (path & 1)]!;
        }
      }
      for (let node = 0; node < nodes; node++) {
        models[(c * bins + bin) * nodes + node] = bitModel(1 - ones[node]! / sums[node]!, SEEN);
      }
    }
  }
  const mean = Math.round(0.8 * Math.sqrt(1 / (step * step) + limit) * scale);
  return { shift, bins, reach, children, paths, models, mean, base, ceiling: (mean >> 1) * unit };
}

/** Moves a mean, in 1/64, by 1/32 of the way towards a magnitude. */
export function follow(mean: number, magnitude: number): number {
  return mean + ((magnitude * 64 - mean) >> 5);
}

/** The class of a mean. */
export function classOf(mean: number, base: number): number {
  return Math.min(CLASSES - 1, Math.max(0, quarterOctaves(mean) - base));
}

/** 4 log₂ of the mean, rounded down, with log₂ taken as linear between two powers of two. */
function quarterOctaves(mean: number): number {
  const octave = 31 - Math.clz32(mean | 4);
  return 4 * octave + ((mean >> (octave - 2)) & 3);
}

/** e^−x for x ≥ 0, and 0 beyond 60. From +, × and ÷ alone, so that every engine gets the same bits. */
function exponential(x: number): number {
  if (x > 60) return 0;
  const t = x / 1024;
  let value = 1 / (1 + t * (1 + t / 2 * (1 + t / 3 * (1 + t / 4 * (1 + t / 5 * (1 + t / 6))))));
  for (let i = 0; i < 10; i++) value *= value;
  return value;
}
