/** The entropy code of a trellis' integers, modelled as dither_model.ts says. @module */

import { UNIT } from "../kernels/dither_draws.ts";
import { CLASSES, classOf, type DitherModel, follow } from "./dither_model.ts";
import { priceAll, priceAt, PRICES } from "./dither_prices.ts";
import type { BitModels, RangeDecoder, RangeEncoder } from "./range_coder.ts";
import { nearestPath, type PathMemory, shortestPath, type Trellis } from "./trellis.ts";

/**
 * Codes the integers of a message block by block, and learns from them. One coder serves many messages, each of which begins
 * with {@link DitherCoder.reset}.
 */
export class DitherCoder {
  readonly #trellis: Trellis;
  readonly #model: DitherModel;
  readonly #models: BitModels;
  /** The running mean of the magnitudes, in 1/64 of 2^shift/UNIT. */
  #mean = 0;
  /** Whether integers are coded without models. */
  #raw = false;
  /** The most steps of 2 from the origin to an integer. */
  #most = 0;
  readonly #prices = new Float64Array(CLASSES * PRICES);
  /** The state of the trellis after the numbers so far. */
  state = 0;

  constructor(trellis: Trellis, model: DitherModel) {
    this.#trellis = trellis;
    this.#model = model;
    this.#models = new Int32Array(model.models.length);
  }

  /** Starts a message: without models where `raw`, and with no integer further than `most` steps of 2 from its origin. */
  reset(raw: boolean, most: number): void {
    this.#models.set(this.#model.models);
    this.#mean = this.#model.mean;
    this.#raw = raw;
    this.#most = most;
    this.state = 0;
  }

  /**
   * Chooses the path of integers, without dither, that minimises squared error + weight × bits, from the state on that the
   * trellis is in. Writes it to the first `count` of `integers` and returns the state at its end.
   *
   * Bits are estimated from the current adaptive models, which are not updated during the search; at the start of a message
   * they hold the Gaussian prior. The class of a number is taken from the values before it, not from their integers.
   */
  choose(values: Float64Array, count: number, weight: number, integers: Int32Array, memory: PathMemory): number {
    const { shift, ceiling, base } = this.#model;
    // If the steps are so fine that low bits are raw, the bits hardly depend on the choice.
    if (shift > 0) return nearestPath(this.#trellis, this.state, values, count, integers, memory);
    const prices = this.#prices, { costs, classes } = memory;
    priceAll(prices, this.#model, this.#models, weight);
    let mean = this.#mean;
    for (let i = 0; i < count; i++) {
      const value = values[i]!, row = classOf(mean, base) * PRICES;
      // In each class modulo 4 the nearest integer, or the next one towards 0.
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
      const value = values[i]!, row = classOf(mean, base) * PRICES, l = classes[i]!;
      const nearest = 4 * Math.floor((value - l) * 0.25 + 0.5) + l, inner = nearest > 0 ? nearest - 4 : nearest + 4;
      const cost = (value - nearest) ** 2 + prices[row + priceAt(nearest)]!;
      integers[i] = (value - inner) ** 2 + prices[row + priceAt(inner)]! < cost ? inner : nearest;
      mean = follow(mean, Math.min(Math.abs(value) * UNIT, ceiling) | 0);
    }
    return end;
  }

  /** Codes the first `count` integers, which must be allowed from `state` on, given the draws of their dither. */
  encode(encoder: RangeEncoder, draws: Uint16Array, integers: Int32Array, count: number): void {
    const { next, bits } = this.#trellis, { shift, bins, reach, children, paths, base, ceiling } = this.#model;
    const models = this.#models, raw = this.#raw, nodes = children.length / 2;
    const top = Math.max(0, bits - 1), scalar = bits === 0, width = bins > 1 ? 9 : 13;
    let state = this.state, mean = this.#mean;
    for (let i = 0; i < count; i++) {
      // `off` is how far the dither is above the origin, in 1/UNIT, which gives `j` its sign and the bin its distance.
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
   * values[0 .. count) := integer − dither − offset, where the offset is in 1/UNIT.
   *
   * @throws {RangeError} if an integer is further from its origin than {@link DitherCoder.reset} was told
   */
  decode(decoder: RangeDecoder, draws: Uint16Array, offset: number, values: Float64Array, count: number): void {
    const { next, bits } = this.#trellis, { shift, bins, reach, children, base, ceiling } = this.#model;
    const models = this.#models, raw = this.#raw, nodes = children.length / 2;
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

/** Codes n ≥ 1 as Elias gamma, without models: one zero less than n has bits, then n. */
function gamma(encoder: RangeEncoder, n: number): void {
  const length = 32 - Math.clz32(n);
  for (let i = 1; i < length; i++) encoder.raw(0, 1);
  encoder.raw(1, 1);
  encoder.raw(n, length - 1);
}

/** Reads a gamma code. @throws {RangeError} if it is above `most` */
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
