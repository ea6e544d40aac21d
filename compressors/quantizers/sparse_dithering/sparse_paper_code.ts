/** The code of sparse dithering in its paper. @module */

import { BitReader, BitWriter } from "../../coding/bits.ts";
import { decodeCountMask, encodeCountMask } from "../../coding/count_mask.ts";
import { readLogScale, writeLogScale } from "../../coding/log_scale.ts";
import { refuse, requireBitLength } from "../../coding/refuse.ts";
import type { Compressor } from "../../compressor.ts";
import { floatOf, MAX_FLOAT32, wordOf } from "../../kernels/float32.ts";
import { packLevels, scatterLevels, unpackLevels } from "../../kernels/sparse_levels.ts";
import { levelMemory, limitOf, promisedStep, roundLevels, sentStep, type SparseRounding } from "./sparse_rounding.ts";

const NAME = "sparseDithering";

/** A message is the step, the number of zeros, the mask that tells them, and the signs and unary levels of the others. */
export function paperCode(rounding: SparseRounding): Pick<Compressor, "maxByteLength" | "encode" | "decodeAdd"> {
  const log = rounding.scale === "log";
  return {
    // Let a share τ of the d numbers be 0, and H be the binary entropy. The mask takes H(τ) bits a number, the signs and what
    // rounding up adds to the levels 2 (1 − τ). Both together are at most log₂ 5, and 2.33 leaves room for the mask's
    // rounding. The levels sum up to d / 2√ν at most, or more by up to a quarter where a log scale has lowered the step. The 9
    // bytes hold 63 bits before the mask and 2 at its end.
    maxByteLength: (size) => 9 + Math.ceil(size * (2.33 + (log ? 0.63 : 0.5000001) / Math.sqrt(rounding.nu)) / 8),
    encode(vector, key, message) {
      const size = vector.length, step = sentStep(promisedStep(vector, rounding), rounding);
      const writer = new BitWriter(message, log ? writeLogScale(step, message) : 0);
      if (!log) writer.write(wordOf(step), 31);
      if (!(step > 0)) return writer.finish();
      const { positions, levels, count } = roundLevels(vector, step, limitOf(step), rounding, key);
      writer.write(size - count, 32 - Math.clz32(size));
      const { position } = writer;
      writer.finish();
      const end = packLevels(levels, count, message, encodeCountMask(positions, count, size, message, position));
      return (end + 7) >>> 3;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length, { value, end: at } = log ? readLogScale(NAME, message) : { value: 0, end: 0 };
      const reader = new BitReader(message, at), step = log ? value : floatOf(reader.read(31));
      if (step === 0) return reader.end();
      if (!(step <= MAX_FLOAT32)) refuse(NAME, `its step is ${step}, expected a finite number`);
      const zeros = reader.read(32 - Math.clz32(size)), count = size - zeros;
      if (count < 0) refuse(NAME, `it has ${zeros} zeros, expected at most ${size}`);
      const { positions, levels } = levelMemory(size);
      const start = decodeCountMask(message, reader.position, count, size, positions);
      if (start + 2 * count > 8 * message.length) refuse(NAME, "it ends before its levels");
      const end = unpackLevels(message, start, count, limitOf(step), levels);
      if (end < 0) refuse(NAME, "a level exceeds float32");
      requireBitLength(NAME, message, end);
      scatterLevels(positions, levels, count, scale * step, into);
    },
  };
}
