import { checkInteger, checkOptions } from "../../../options.ts";
import { byteLengthOf, type Width } from "../../coding/fixed_width.ts";
import { refuse, requireLength, requirePadding } from "../../coding/refuse.ts";
import { readFloat, readScale, writeFloat } from "../../coding/floats.ts";
import { addClamped, MAX_FLOAT32 } from "../../kernels/float32.ts";
import type { UnbiasedCompressor } from "../../compressor.ts";
import { BLOCK, copyScaled, eachBlock, rotateBlock, unrotateBlock } from "../../kernels/rotation.ts";
import { pack, unpack } from "../../kernels/pack.ts";
import { quicFlDecode, quicFlEncode, type QuicFlTable, quicFlTable } from "../../kernels/quic_fl_table.ts";
import { sumOfSquares } from "../../kernels/sums.ts";
import { oneBitRows } from "./one_bit_rows.ts";
import { QUIC_FL } from "./quic_fl_tables.ts";
import { bits as draw, fold, type Key } from "../../../random.ts";

/** Options of {@linkcode quicFl}. */
export interface QuicFlOptions {
  /** Bits a number: 1, 2, 3 or 4. */
  readonly bits: number;
}

/**
 * QUIC-FL: blocks of up to 8192 numbers are rotated at random, and each rotated number is rounded to a symbol of a table
 * without bias, whatever rotation was drawn.
 *
 * The table is indexed by h, a random byte for each number that both ends draw from the key. Given h, the sender picks one
 * of two neighbouring symbols by a random number of its own, such that the receiver's value is right on average over h and
 * that choice. Numbers beyond 3.1 root mean squares, about one in 512, are sent as they are.
 *
 * - Guarantee: unbiased exactly, for every vector, which {@linkcode eden} is only in the limit. The variance is ω ‖x‖² with
 *   ω = 1.452, 0.2136, 0.04267 and 0.009518 for 1 to 4 bits: the table's error on the standard normal law, which rotated
 *   numbers follow within 2 % on adversarial vectors. Whatever the rotation, the variance over the other draws is at most
 *   3.89, 0.681, 0.150 and 0.0379 times ‖x‖².
 * - Message: for each block a float32 scale, the outliers and the codes, about 0.1 bits more than `bits` a number.
 * - Source: Ben Basat, Vargaftik, Portnoy, Einziger, Ben-Itzhak, Mitzenmacher: "QUIC-FL", arXiv:2205.13341, whose tables
 *   have errors of 1.4671, 0.2149, 0.04312 and 0.009684. Those here were solved anew; one bit has a closed form.
 * - Choose it where many ranks are averaged and the result must be unbiased exactly.
 *
 * @throws {RangeError} if bits is not an integer from 1 to 4
 *
 * @example
 * ```ts
 * import { compress, key, normal, quicFl } from "@gradwire/tfjs";
 * const message = compress(quicFl({ bits: 2 }), normal(key(1), new Float32Array(8192)), key(2));
 * console.assert(Math.abs(8 * message.length / 8192 - 2.1) < 0.05);
 * ```
 */
export function quicFl(options: QuicFlOptions): UnbiasedCompressor {
  const { bits } = checkOptions("make quicFl", options, ["bits"]);
  checkInteger("make quicFl", "bits", bits, 1, 4);
  const { gaussian } = QUIC_FL[bits - 1]!, table = tableOf(bits);
  const width: Width = { count: 2 ** bits, bits, perByte: 0 }, limit = table.nodes.at(-1)!;
  const memory = new Float32Array(BLOCK), chunk = new Uint32Array(BLOCK), words = new Uint32Array(BLOCK / 4);
  const bytes = new Uint8Array(words.buffer), indices = new Uint16Array(BLOCK);
  /** The most numbers of a block that can be outliers: their squares sum up to `padded`. */
  const most = (padded: number) => Math.floor(1.001 * padded / limit ** 2);
  /** The shared random byte of each number of a block. */
  const share = (key: Key, size: number) => {
    draw(fold(key, -1), words.subarray(0, (size + 3) >> 2));
    littleEndian(words);
    return bytes;
  };
  return {
    name: "quicFl",
    options: { bits },
    omega: (_size) => gaussian,
    maxByteLength(size) {
      let length = 0;
      eachBlock(size, (_from, _length, padded) => length += 6 + 6 * most(padded) + byteLengthOf(width, padded));
      return length;
    },
    encode(vector, key, message) {
      let at = 0;
      eachBlock(vector.length, (from, length, padded, index) => {
        const unit = Math.min(
          MAX_FLOAT32,
          Math.sqrt(sumOfSquares(vector.subarray(from, from + length)) / padded),
        );
        at = writeFloat(unit, message, at);
        const sent = readScale("quicFl", message, at - 4), own = fold(key, index);
        if (sent === 0) return;
        copyScaled(vector, from, length, 1 / sent, memory, padded);
        rotateBlock(memory, padded, own);
        const codes = chunk.subarray(0, padded);
        draw(fold(own, -2), codes);
        const count = quicFlEncode(memory, table, share(own, padded), codes, indices);
        message[at++] = count, message[at++] = count >> 8;
        for (let i = 0; i < count; i++) {
          const place = indices[i]!;
          message[at++] = place, message[at++] = place >> 8;
          at = writeFloat(memory[place]!, message, at);
        }
        at = pack(codes, bits, message, at);
      });
      return at;
    },
    decodeAdd(message, key, scale, into) {
      let at = 0;
      eachBlock(into.length, (from, length, padded, index) => {
        const unit = readScale("quicFl", message, at), own = fold(key, index);
        at += 4;
        if (unit === 0) return;
        const count = at + 2 <= message.length ? message[at]! | (message[at + 1]! << 8) : 0;
        const start = at + 2 + 6 * count, end = start + byteLengthOf(width, padded);
        if (count > most(padded) || message.length < end) {
          refuse(
            "quicFl",
            `the message has ${message.length} bytes and ${count} outliers, expected at least ${end} bytes`,
          );
        }
        const codes = chunk.subarray(0, padded);
        requirePadding("quicFl", message, 8 * start + bits * padded);
        unpack(message, start, bits, codes);
        quicFlDecode(codes, table, share(own, padded), memory);
        at += 2;
        for (let before = -1; at < start; at += 6) {
          const place = message[at]! | (message[at + 1]! << 8), value = readFloat("quicFl", message, at + 2);
          // Outliers come in ascending order, lie beyond the table, and have code 0 in their places.
          const inside = table.nodes[0]! <= value && value <= limit;
          if (place <= before || place >= padded || codes[place] !== 0 || inside || Math.abs(value) > BLOCK) {
            refuse("quicFl", `an outlier of ${value} is at ${place}, after one at ${before}`);
          }
          before = place;
          memory[place] = value;
        }
        at = end;
        unrotateBlock(memory, padded, own);
        addClamped(memory, unit, scale, into.subarray(from, from + length));
      });
      requireLength("quicFl", message, at);
    },
  };
}

/** The table for a number of bits, made when it is first needed. */
const tableOf = (() => {
  const made: QuicFlTable[] = [];
  return (bits: number) => {
    const { rows, half } = QUIC_FL[bits - 1]!;
    return made[bits] ??= quicFlTable(bits, rows, bits === 1 ? oneBitRows(rows) : half);
  };
})();

/** On a machine of the other byte order, reorders the bytes of `words` so that they are read in little-endian order. */
function littleEndian(words: Uint32Array): void {
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] === 1) return;
  const view = new DataView(words.buffer);
  for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i]!, true);
}
