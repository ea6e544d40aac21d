/** One-bit quantisation by the columns of weight matrices. @module */

import { compress } from "../../../compressors/compress.ts";
import type { Compressor } from "../../../compressors/compressor.ts";
import { type Layout, sizeOf } from "../../../compressors/layout.ts";
import { oneBit } from "../../../compressors/quantizers/one_bit.ts";

/**
 * Two numbers for each tensor: how many numbers it has, and how many of them share their means: `least` or more, in
 * whole columns.
 */
export function blocksOf({ shapes }: Layout, least: number): Float64Array {
  return Float64Array.from(shapes.flatMap((shape) => {
    const size = sizeOf(shape), width = Math.max(1, shape.at(-1) ?? 1);
    return [size, Math.ceil(least / width) * width];
  }));
}

const quantiser = oneBit();

/**
 * The one-bit quantisation of a stripe of the vector, from number `start` on. Each block of columns, or what part of it
 * lies in the stripe, has means of its own.
 *
 * @param blocks what {@linkcode blocksOf} returns
 */
export function byColumns(blocks: Float64Array, start: number): Compressor {
  /** The blocks in a stripe of `size` numbers, as positions in the stripe. */
  function* parts(size: number): Generator<[from: number, to: number]> {
    for (let t = 0, tensor = 0; t < blocks.length; tensor += blocks[t]!, t += 2) {
      const length = blocks[t]!, run = blocks[t + 1]!;
      const first = Math.max(0, start - tensor), last = Math.min(length, start + size - tensor);
      for (let from = first; from < last;) {
        const to = Math.min(last, (Math.floor(from / run) + 1) * run);
        yield [tensor + from - start, tensor + to - start];
        from = to;
      }
    }
  }
  return {
    name: "oneBit by columns",
    options: {},
    maxByteLength(size) {
      let bytes = 0;
      for (const [from, to] of parts(size)) bytes += quantiser.maxByteLength(to - from);
      return bytes;
    },
    encode(vector, key, message) {
      let at = 0;
      for (const [from, to] of parts(vector.length)) {
        at += compress(quantiser, vector.subarray(from, to), key, message.subarray(at)).length;
      }
      return at;
    },
    decodeAdd(message, key, scale, into) {
      let at = 0;
      for (const [from, to] of parts(into.length)) {
        const next = at + quantiser.maxByteLength(to - from);
        quantiser.decodeAdd(message.subarray(at, next), key, scale, into.subarray(from, to));
        at = next;
      }
      if (at !== message.length) {
        throw new RangeError(`Cannot decode oneBitSgd: the message has ${message.length} bytes, expected ${at}`);
      }
    },
  };
}
