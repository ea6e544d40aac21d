/** Dither, and the entropy coding of dithered integers with an adaptive model of each given its dither. @module */

import { bits, type Key } from "../../random.ts";
import { bitModel, type BitModels, type RangeDecoder, type RangeEncoder } from "./range_coder.ts";
import { nearestPath, type PathMemory, shortestPath, type Trellis } from "./trellis.ts";

/** The dither is a multiple of 1/UNIT, but for an offset below that. It covers [0, 4). */
export const UNIT = 8192;

/** Draws of the key's stream from `from` (a multiple of 4) on: the dither in the lower 15 bits, a sign in the highest. */
export function drawDither(key: Key, from: number, draws: Uint16Array, count: number, words: Uint32Array): void {
  const pairs = words.subarray(0, (count + 1) >> 1);
  bits(key, pairs, from / 2);
  for (let i = 0; i < pairs.length; i++) draws[2 * i] = pairs[i]!, draws[2 * i + 1] = pairs[i]! >>> 16;
}

/** values[i] := ±values[i] · gain + dither: what is to be rounded. */
export function addDither(
  values: Float64Array,
  draws: Uint16Array,
  count: number,
  gain: number,
  offset: number,
): void {
  for (let i = 0; i < count; i++) {
    const draw = draws[i]!;
    values[i] = (1 - ((draw >> 14) & 2)) * values[i]! * gain + ((draw & 0x7fff) + offset) / UNIT;
  }
}

/** values[i] := ±values[i] · gain, held within ±limit. */
export function removeSigns(
  values: Float64Array,
  draws: Uint16Array,
  count: number,
  gain: number,
  limit: number,
): void {
  for (let i = 0; i < count; i++) {
    values[i] = Math.max(-limit, Math.min(limit, (1 - ((draws[i]! >> 14) & 2)) * values[i]! * gain));
  }
}

/** Classes of the mean magnitude of the numbers before, four an octave. */
const CLASSES = 40;
/** Integers are priced up to this many steps of 2. */
const PRICED = 20;
/** How many decisions the gaussian start of the models counts for. */
const SEEN = 20;

/**
 * What encoder and decoder know before the first number. The allowed integer nearest to the dither is the origin; they
 * count in steps of 2 from it, towards the dither first: j. Its high part ⌊j / 2^shift⌋ (a token, or an escape) is coded
 * down a Huffman tree with an adaptive model at each node, in contexts of the distance of the origin to the dither
 * (`bins`) and of the mean magnitude of the numbers before (CLASSES); its low part is raw.
 */
export interface DitherModel {
  readonly shift: number;
  readonly bins: number;
  /** Tokens are −reach..reach; one more is the escape. */
  readonly reach: number;
  /** Nodes of the tree: 2 children each, ≥ 0 a node, < 0 the complement of a leaf. */
  readonly children: Int16Array;
  /** The way from the root to each leaf, the first decision in the lowest bit. */
  readonly paths: Int32Array;
  /** Models at the start, by class, bin and node. */
  readonly models: BitModels;
  /** Mean magnitude at the start, and that of class 0; in 1/64 of 2^shift/UNIT. */
  readonly mean: number;
  readonly floor: number;
  /** Magnitudes count for the mean as at most this, 32 times the mean at the start; in 1/UNIT. */
  readonly ceiling: number;
}

/**
 * The model for gaussian numbers whose mean square is 1, in steps (half the lattice's spacing) of √(omega / limit). Without
 * `dither` small means tell much, and there are classes for them.
 */
export function ditherModel({ limit }: Trellis, omega: number, dither = true): DitherModel {
  const step = Math.sqrt(omega / limit);
  let shift = 0;
  while (step * 2 ** (shift + 1) < 1 / 6) shift++; // a cell of at most a sixth of the deviation costs 0.003 bits
  const bins = shift > 0 ? 1 : 16, unit = 2 ** shift;
  const reach = Math.max(4, Math.ceil(3 / (step * unit))), tokens = 2 * reach + 2, escape = tokens - 1;

  /** Probabilities of the tokens, for numbers of this variance, in this bin. */
  const weights = (bin: number, variance: number): Float64Array => {
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
  for (let bin = 0; bin < bins; bin++) weights(bin, 1).forEach((w, token) => average[token]! += w / bins);
  const { children, paths } = huffman(average), nodes = children.length / 2;

  const scale = 64 * UNIT / unit, floor = Math.round(0.56 * Math.sqrt(limit) * scale / (dither ? 1 : 32)) || 1;
  const models = new Int32Array(CLASSES * bins * nodes), ones = new Float64Array(nodes), sums = new Float64Array(nodes);
  for (let c = 0; c < CLASSES; c++) {
    // The variance that a mean magnitude in the class's middle speaks for, drawn towards 1 since it is but an estimate.
    const middle = quarterOctaves(floor) + c + 0.5, octave = Math.floor(middle / 4);
    const root = 2 ** octave * (1 + (middle / 4 - octave)) / (0.8 * scale);
    const variance = Math.max(0.02, (root * root - limit) * step * step);
    const drawn = Math.sqrt(variance * Math.sqrt(variance));
    for (let bin = 0; bin < bins; bin++) {
      const weight = weights(bin, drawn);
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
  return { shift, bins, reach, children, paths, models, mean, floor, ceiling: (mean >> 1) * unit };
}

/** Codes blocks of one message, one after the other. Reused from message to message: {@link DitherCoder.reset}. */
export class DitherCoder {
  readonly #trellis: Trellis;
  readonly #model: DitherModel;
  readonly #models: BitModels;
  #mean = 0;
  #raw = false;
  #most = 0;
  #priceList = new Float64Array(CLASSES * 2 * (2 * PRICED + 1));
  /** The state of the trellis after the numbers so far. */
  state = 0;

  constructor(trellis: Trellis, model: DitherModel) {
    this.#trellis = trellis;
    this.#model = model;
    this.#models = new Int32Array(model.models.length);
  }

  /** Starts a message: with no models where `raw`, and no integer further than `most` steps of 2 from its origin. */
  reset(raw: boolean, most: number): void {
    this.#models.set(this.#model.models);
    this.#mean = this.#model.mean;
    this.#raw = raw;
    this.#most = most;
    this.state = 0;
  }

  /**
   * For integers without dither: fills integers[0..count) with the path from `state` on that costs least in squared error
   * plus `weight` times bits, and returns the state at its end. The first of a message is priced as gaussian. Bits are those that the models as they are would spend,
   * given the magnitudes of the values before.
   */
  choose(values: Float64Array, count: number, weight: number, integers: Int32Array, memory: PathMemory): number {
    const { shift, ceiling, floor } = this.#model;
    // Steps so fine that low bits are raw: bits hardly depend on the choice.
    if (shift > 0) return nearestPath(this.#trellis, this.state, values, count, integers, memory);
    const base = quarterOctaves(floor), prices = this.#prices(weight);
    const { costs, classes } = memory, width = 2 * PRICED + 1;
    let mean = this.#mean;
    for (let i = 0; i < count; i++) {
      const value = values[i]!, row = classOf(mean, base) * 2 * width;
      for (let l = 0; l < 4; l++) {
        const nearest = 4 * Math.floor((value - l) * 0.25 + 0.5) + l, inner = nearest > 0 ? nearest - 4 : nearest + 4;
        const cost = (value - nearest) ** 2 + prices[row + priceAt(nearest)]!;
        const other = (value - inner) ** 2 + prices[row + priceAt(inner)]!;
        costs[4 * i + l] = Math.min(cost, other);
      }
      mean = follow(mean, Math.min(Math.abs(value) * UNIT, ceiling) | 0);
    }
    const end = shortestPath(this.#trellis, this.state, count, memory);
    mean = this.#mean;
    for (let i = 0; i < count; i++) {
      const value = values[i]!, row = classOf(mean, base) * 2 * width, l = classes[i]!;
      const nearest = 4 * Math.floor((value - l) * 0.25 + 0.5) + l, inner = nearest > 0 ? nearest - 4 : nearest + 4;
      const cost = (value - nearest) ** 2 + prices[row + priceAt(nearest)]!;
      integers[i] = (value - inner) ** 2 + prices[row + priceAt(inner)]! < cost ? inner : nearest;
      mean = follow(mean, Math.min(Math.abs(value) * UNIT, ceiling) | 0);
    }
    return end;
  }

  /** Weighed bits of the integers −PRICED..PRICED of each parity, by class. Those beyond cost as the last. */
  #prices(weight: number): Float64Array {
    const { bins, reach, children, paths } = this.#model, models = this.#models, nodes = children.length / 2;
    const prices = this.#priceList;
    for (let c = 0, at = 0; c < CLASSES; c++) {
      for (let parity = 0; parity < 2; parity++) {
        for (let j = -PRICED; j <= PRICED; j++) {
          const token = j < -reach || j > reach ? 2 * reach + 1 : j + reach;
          let bits = token > 2 * reach ? 2 * (32 - Math.clz32(Math.abs(j) - reach)) : 0;
          for (let node = 0, path = paths[token]!; node >= 0; path >>= 1) {
            const p = models[(c * bins + (parity === 1 ? bins - 1 : 0)) * nodes + node]! >>> 22;
            bits += BITS[path & 1 ? 255 - p : p]!;
            node = children[2 * node + (path & 1)]!;
          }
          prices[at++] = weight * bits;
        }
      }
    }
    return prices;
  }

  /** Codes integers[0..count), allowed from `state` on, given their dither. */
  encode(encoder: RangeEncoder, draws: Uint16Array, integers: Int32Array, count: number): void {
    const { next, bits } = this.#trellis, { shift, bins, reach, children, paths, floor, ceiling } = this.#model;
    const models = this.#models, raw = this.#raw, nodes = children.length / 2, base = quarterOctaves(floor);
    const top = Math.max(0, bits - 1), scalar = bits === 0, width = bins > 1 ? 9 : 13;
    let state = this.state, mean = this.#mean;
    for (let i = 0; i < count; i++) {
      // The allowed integer nearest to the dither, and how far the dither is beyond it, both in 1/UNIT.
      const z = integers[i]!, parity = scalar ? 0 : state >> top, from = (draws[i]! & 0x7fff) - parity * UNIT;
      const off = ((from + UNIT) & (2 * UNIT - 1)) - UNIT, side = off >> 31, distance = off ^ side;
      const j = (((z - parity - (from - off) / UNIT) >> 1) ^ side) - side;
      state = next[2 * state + ((z >> 1) & 1)]!;
      if (raw) {
        gamma(encoder, j > 0 ? 2 * j : 1 - 2 * j);
        continue;
      }
      const high = j >> shift, token = high < -reach || high > reach ? 2 * reach + 1 : high + reach;
      const at = (classOf(mean, base) * bins + (distance >> width)) * nodes;
      for (let node = 0, path = paths[token]!; node >= 0; path >>= 1) {
        encoder.bit(models, at + node, path & 1);
        node = children[2 * node + (path & 1)]!;
      }
      if (token > 2 * reach) {
        gamma(encoder, Math.abs(high) - reach);
        encoder.raw(high < 0 ? 1 : 0, 1);
      }
      if (shift > 0) encoder.raw(j & ((1 << shift) - 1), shift);
      mean = follow(mean, Math.min(Math.abs(2 * j * UNIT - distance), ceiling) >> shift);
    }
    this.state = state, this.#mean = mean;
  }

  /**
   * Fills values[0..count) with integer − dither, less the offset in 1/UNIT.
   *
   * @throws {RangeError} if an integer is too far from its dither
   */
  decode(decoder: RangeDecoder, draws: Uint16Array, offset: number, values: Float64Array, count: number): void {
    const { next, bits } = this.#trellis, { shift, bins, reach, children, floor, ceiling } = this.#model;
    const models = this.#models, raw = this.#raw, nodes = children.length / 2, base = quarterOctaves(floor);
    const top = Math.max(0, bits - 1), scalar = bits === 0, width = bins > 1 ? 9 : 13, most = this.#most;
    let state = this.state, mean = this.#mean;
    for (let i = 0; i < count; i++) {
      const u = draws[i]! & 0x7fff, parity = scalar ? 0 : state >> top, from = u - parity * UNIT;
      const off = ((from + UNIT) & (2 * UNIT - 1)) - UNIT, side = off >> 31, distance = off ^ side;
      let j: number;
      if (raw) {
        const code = readGamma(decoder, 2 * most + 1);
        j = code & 1 ? (1 - code) / 2 : code / 2;
      } else {
        const at = (classOf(mean, base) * bins + (distance >> width)) * nodes;
        let node = 0;
        do node = children[2 * node + decoder.bit(models, at + node)]!; while (node >= 0);
        let high = ~node - reach;
        if (high > reach) {
          high = reach + readGamma(decoder, most + 1);
          if (decoder.raw(1) === 1) high = -high;
        }
        j = shift > 0 ? high * 2 ** shift + decoder.raw(shift) : high;
        mean = follow(mean, Math.min(Math.abs(2 * j * UNIT - distance), ceiling) >> shift);
      }
      if (j > most || j < -most) refuseInteger(j, most);
      const z = parity + (from - off) / UNIT + 2 * ((j ^ side) - side);
      state = next[2 * state + ((z >> 1) & 1)]!;
      values[i] = z - (u + offset) / UNIT;
    }
    this.state = state, this.#mean = mean;
  }
}

/** Where the price of an integer without dither is: its parity, then its steps of 2 from the origin, 0 or 1. */
function priceAt(z: number): number {
  const odd = z & 1, j = odd === 1 ? (1 - z) / 2 : z / 2;
  return odd * (2 * PRICED + 1) + PRICED + Math.max(-PRICED, Math.min(PRICED, j));
}

/** −log₂((p + ½) / 256) to 2⁻⁸, by squaring, since Math.log2 is not the same on every engine. */
const BITS = Float64Array.from({ length: 256 }, (_, p) => {
  let x = (p + 0.5) / 256, bits = 0;
  while (x < 0.5) x *= 2, bits++;
  for (let i = 1, part = 0.5; i <= 8; i++, part /= 2) {
    x *= x;
    if (x < 0.5) x *= 2, bits += part;
  }
  return bits;
});

/** Moves the mean, in 1/64, by 1/32 towards a magnitude. */
function follow(mean: number, magnitude: number): number {
  return mean + ((magnitude * 64 - mean) >> 5);
}

/** log₂, linear within the octave, in whole quarters. */
function quarterOctaves(mean: number): number {
  const octave = 31 - Math.clz32(mean | 4);
  return 4 * octave + ((mean >> (octave - 2)) & 3);
}

function classOf(mean: number, base: number): number {
  return Math.min(CLASSES - 1, Math.max(0, quarterOctaves(mean) - base));
}

/** Elias gamma of n ≥ 1, raw. */
function gamma(encoder: RangeEncoder, n: number): void {
  const length = 32 - Math.clz32(n);
  for (let i = 1; i < length; i++) encoder.raw(0, 1);
  encoder.raw(1, 1);
  encoder.raw(n, length - 1);
}

function readGamma(decoder: RangeDecoder, most: number): number {
  let length = 1;
  while (decoder.raw(1) === 0) if (++length > 31) refuseInteger(2 ** 31, most);
  const n = 2 ** (length - 1) + decoder.raw(length - 1);
  if (n > most) refuseInteger(n, most);
  return n;
}

function refuseInteger(value: number, most: number): never {
  throw new RangeError(`Cannot read the message: an integer is ${value}, expected a magnitude of at most ${most}`);
}

/** e^−x for 0 ≤ x, from +, × and ÷ only, so that every engine gets the same bits. 0 beyond 60. */
function exponential(x: number): number {
  if (x > 60) return 0;
  const t = x / 1024;
  let value = 1 / (1 + t * (1 + t / 2 * (1 + t / 3 * (1 + t / 4 * (1 + t / 5 * (1 + t / 6))))));
  for (let i = 0; i < 10; i++) value *= value;
  return value;
}

/** The tree of shortest mean path. Ties go to the earlier node. */
function huffman(weights: Float64Array): { children: Int16Array; paths: Int32Array } {
  interface Node {
    weight: number;
    leaf: number;
    zero?: Node;
    one?: Node;
  }
  const open: Node[] = [...weights].map((weight, leaf) => ({ weight, leaf }));
  const lightest = () => {
    let at = 0;
    for (let i = 1; i < open.length; i++) if (open[i]!.weight < open[at]!.weight) at = i;
    return open.splice(at, 1)[0]!;
  };
  while (open.length > 1) {
    const one = lightest(), zero = lightest();
    open.push({ weight: zero.weight + one.weight, leaf: -1, zero, one });
  }
  const children: number[] = [], paths = new Int32Array(weights.length);
  const number = (node: Node, path: number, depth: number): number => {
    if (node.zero === undefined || node.one === undefined) {
      paths[node.leaf] = path;
      return ~node.leaf;
    }
    const at = children.length;
    children.push(0, 0);
    children[at] = number(node.zero, path, depth + 1);
    children[at + 1] = number(node.one, path | 1 << depth, depth + 1);
    return at / 2;
  };
  number(open[0]!, 0, 0);
  return { children: Int16Array.from(children), paths };
}
