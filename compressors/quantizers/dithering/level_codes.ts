/** How the levels of a vector are written after its norm. @module */

import { BitReader, BitWriter } from "../../coding/bits.ts";
import { omegaLength, readOmega, writeOmega } from "../../coding/elias.ts";
import { byteLengthOf, eachChunk, type Fill, readCodes, widthOf, writeCodes } from "../../coding/fixed_width.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../../coding/integer_model.ts";
import { refuse } from "../../coding/refuse.ts";
import { addSigned } from "../../kernels/equal_levels.ts";
import { scratch } from "../../kernels/scratch.ts";

/** A code of the levels −levels … levels of a vector, in a message from byte 4 on. */
interface LevelCode {
  /** The most bytes for `size` numbers. */
  maxByteLength(size: number): number;
  /** Writes `size` levels, which `fill` gives as level + levels, and returns the end of the message. */
  write(size: number, message: Uint8Array, fill: Fill): number;
  /**
   * Adds step · level to each number of `into`, and returns where the levels end.
   *
   * @throws {RangeError} if the bytes are no such levels
   */
  read(size: number, message: Uint8Array, step: number, into: Float32Array): number;
}

/** Every level takes the same number of bits. */
export function fixedLevels(levels: number): LevelCode {
  const width = widthOf(2 * levels + 1);
  return {
    maxByteLength: (size) => byteLengthOf(width, size),
    write: (size, message, fill) => writeCodes(width, size, message, 4, fill),
    read: (size, message, step, into) =>
      readCodes(width, size, message, 4, (codes, from) => addSigned(codes, levels, step, into, from)),
  };
}

/**
 * For each level that is not 0: its distance from the position of the one before, a sign bit, and its magnitude. A last
 * distance leads past the end of the vector.
 */
export function eliasLevels(levels: number): LevelCode {
  return {
    // A distance of g takes at most 2g − 1 bits. So distance, sign and magnitude take at most g times the bits that they take
    // for g = 1, and all distances together are at most size.
    maxByteLength: (size) => Math.ceil((size * (2 + omegaLength(levels)) + omegaLength(size + 1)) / 8),
    write(size, message, fill) {
      const writer = new BitWriter(message, 4);
      let last = -1;
      eachChunk(size, fill, (codes, from) => {
        for (let i = 0; i < codes.length; i++) {
          const level = codes[i]! - levels;
          if (level === 0) continue;
          writeOmega(writer, from + i - last);
          writer.write(level < 0 ? 1 : 0, 1);
          writeOmega(writer, Math.abs(level));
          last = from + i;
        }
      });
      writeOmega(writer, size - last);
      return writer.finish();
    },
    read(size, message, step, into) {
      const reader = new BitReader(message, 4);
      for (let at = readOmega(reader) - 1; at !== size; at += readOmega(reader)) {
        if (at > size) refuse("dithering", `an index is ${at}, expected at most ${size}`);
        const negative = reader.read(1) === 1, level = readOmega(reader);
        if (level > levels) refuse("dithering", `a level is ${level}, expected at most ${levels}`);
        into[at]! += negative ? -level * step : level * step;
      }
      reader.end();
      return message.length;
    },
  };
}

/** All levels in the adaptive range coder. */
export function entropyLevels(levels: number): LevelCode {
  const memory = scratch(Int32Array);
  return {
    maxByteLength: (size) => integersByteLength(size, levels),
    write(size, message, fill) {
      const values = memory(size);
      eachChunk(size, fill, (codes, from) => {
        for (let i = 0; i < codes.length; i++) values[from + i] = codes[i]! - levels;
      });
      return encodeIntegers(values, levels, message, 4);
    },
    read(size, message, step, into) {
      const values = decodeIntegers(message, 4, levels, memory(size));
      for (let i = 0; i < size; i++) into[i]! += step * values[i]!;
      return message.length;
    },
  };
}
