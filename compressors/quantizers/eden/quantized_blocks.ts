/** Rotated blocks as the nearest levels of the best quantizer of the standard normal law: what EDEN and DRIVE share. @module */

import { fold } from "../../../random.ts";
import { byteLengthOf, type Width } from "../../coding/fixed_width.ts";
import { readScale, writeFloat } from "../../coding/floats.ts";
import { refuse, requireLength, requirePadding } from "../../coding/refuse.ts";
import type { UnbiasedCompressor } from "../../compressor.ts";
import { addClamped, MAX_FLOAT32 } from "../../kernels/float32.ts";
import { type Levels, nearestLevels, putValues, symmetricLevels } from "../../kernels/given_levels.ts";
import { pack, unpack } from "../../kernels/pack.ts";
import { BLOCK, copyScaled, eachBlock, rotateBlock, unrotateBlock } from "../../kernels/rotation.ts";
import { scratch } from "../../kernels/scratch.ts";
import { sumOfSquares } from "../../kernels/sums.ts";
import { DISTORTION, LLOYD_MAX } from "./lloyd_max.ts";

/**
 * With less than a bit a number, this many numbers of a block are sent at least: from fewer the scale, whose denominator is
 * the sum of their magnitudes, would have no finite variance.
 */
const FEWEST = 32;

/** How many numbers of a block of `size` get ⌈bits⌉ bits; the others get one bit less. */
function richOf(bits: number, size: number): number {
  const rich = Math.round((bits - Math.ceil(bits) + 1) * size);
  return bits < 1 ? Math.min(size, Math.max(rich, FEWEST)) : rich;
}

/** ω of the unbiased scale, for vectors of `size` numbers: the largest of the blocks'. */
export function quantizedOmega(bits: number, size: number): number {
  const high = DISTORTION[Math.ceil(bits)]!, low = DISTORTION[Math.ceil(bits) - 1]!;
  let omega = 0;
  eachBlock(size, (_from, _length, padded) => {
    const rich = richOf(bits, padded), distortion = low + (high - low) * rich / padded;
    // Where most numbers are not sent, the scale is made from few magnitudes and varies: with m their mean, E(1 / m²) exceeds
    // 1 / (E m)² by this factor.
    const spread = bits < 1 && rich < padded ? 1 + 1.75 / rich + 6 / rich ** 2 : 1;
    omega = Math.max(omega, spread / (1 - distortion) - 1);
  });
  return omega;
}

/** The levels of the quantizer with this number of bits, made when they are first needed. */
const levelsOf = (() => {
  const made: Levels[] = [];
  return (bits: number) => made[bits] ??= symmetricLevels(LLOYD_MAX[bits]!);
})();

/**
 * The compressor but for its constants and options. Each block of the rotated vector is sent as a scale and the codes of its
 * nearest levels. The scale is the one of least error where `biased`, and else the one that makes ⟨C(x), x⟩ = ‖x‖².
 */
export function quantizedBlocks(
  name: string,
  bits: number,
  biased: boolean,
): Omit<UnbiasedCompressor, "omega" | "options"> {
  const top = Math.ceil(bits), high = levelsOf(top), low = levelsOf(top - 1), empty = top === 1;
  const wide = widthOf(top), narrow = widthOf(top - 1);
  const memory = scratch(Float32Array), chunk = scratch(Uint32Array);
  return {
    name,
    maxByteLength(size) {
      let length = 0;
      eachBlock(size, (_from, _length, padded) => {
        const rich = richOf(bits, padded);
        length += 4 + byteLengthOf(wide, rich) + (empty ? 0 : byteLengthOf(narrow, padded - rich));
      });
      return length;
    },
    encode(vector, key, message) {
      let at = 0;
      eachBlock(vector.length, (from, length, padded, index) => {
        const norm = Math.sqrt(sumOfSquares(vector.subarray(from, from + length)));
        if (norm === 0) {
          at = writeFloat(0, message, at);
          return;
        }
        // The root mean square over the padded length: the rotated numbers then have mean square 1.
        const data = memory(BLOCK), unit = norm / Math.sqrt(padded), rich = richOf(bits, padded), start = at;
        copyScaled(vector, from, length, 1 / unit, data, padded);
        rotateBlock(data, padded, fold(key, index));
        at += 4;
        const codes = chunk(BLOCK), first = codes.subarray(0, rich), rest = codes.subarray(rich, padded);
        let product = nearestLevels(data, 0, high, first), squares = squaresOf(high, first);
        at = pack(first, top, message, at);
        if (!empty) {
          product += nearestLevels(data, rich, low, rest), squares += squaresOf(low, rest);
          at = pack(rest, top - 1, message, at);
        }
        writeFloat(Math.min(MAX_FLOAT32, unit * (biased ? product / squares : padded / product)), message, start);
        // A scale next to the least float32 may be rounded to 0: then no codes follow it, as for a block of zeros.
        if (readScale(name, message, start) === 0) at = start + 4;
      });
      return at;
    },
    decodeAdd(message, key, scale, into) {
      let at = 0;
      eachBlock(into.length, (from, length, padded, index) => {
        const unit = readScale(name, message, at), rich = richOf(bits, padded), data = memory(BLOCK);
        at += 4;
        if (unit === 0) return;
        const end = at + byteLengthOf(wide, rich) + (empty ? 0 : byteLengthOf(narrow, padded - rich));
        if (message.length < end) refuse(name, `the message has ${message.length} bytes, expected at least ${end}`);
        const codes = chunk(BLOCK), first = codes.subarray(0, rich), rest = codes.subarray(rich, padded);
        requirePadding(name, message, 8 * at + top * rich);
        at = unpack(message, at, top, first);
        putValues(first, high.values, data, 0);
        if (empty) data.fill(0, rich, padded);
        else {
          requirePadding(name, message, 8 * at + (top - 1) * rest.length);
          at = unpack(message, at, top - 1, rest);
          putValues(rest, low.values, data, rich);
        }
        unrotateBlock(data, padded, fold(key, index));
        addClamped(data, unit, scale, into.subarray(from, from + length));
      });
      requireLength(name, message, at);
    },
  };
}

/** The layout of codes of `bits` bits, all of which are used. */
function widthOf(bits: number): Width {
  return { count: 2 ** bits, bits, perByte: 0 };
}

/** Σ level² over the codes. */
function squaresOf({ values }: Levels, codes: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < codes.length; i++) sum += values[codes[i]!]! ** 2;
  return sum;
}
