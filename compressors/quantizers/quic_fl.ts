import { checkInteger, checkOptions } from "../../options.ts";
import { byteLengthOf, type Width } from "../coding/fixed_width.ts";
import { refuse, requireLength, requirePadding } from "../coding/refuse.ts";
import { readFloat, readScale, writeFloat } from "../coding/floats.ts";
import { addClamped, MAX_FLOAT32 } from "../kernels/float32.ts";
import type { UnbiasedCompressor } from "../compressor.ts";
import { copyScaled, eachBlock, rotateBlock, unrotateBlock } from "../kernels/rotation.ts";
import { pack, unpack } from "../kernels/pack.ts";
import { quicDecode, quicEncode, type QuicTable, quicTable } from "../kernels/quic_table.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import { oneBitRows, QUIC_FL } from "./quantizer_tables.ts";
import { bits as draw, fold, type Key } from "../../random.ts";

/** The most numbers of a block, see rotation.ts. */
const BLOCK = 8192;

/** Options of {@linkcode quicFl}. */
export interface QuicFlOptions {
  /** Bits a number: 1, 2, 3 or 4. */
  readonly bits: number;
}

/**
 * QUIC-FL: blocks of up to 8192 numbers are rotated at random, and each number is rounded without bias for whatever rotation
 * was drawn, by a table, a number h of its own that both ends draw from the key, and the sender's own draw. So it is unbiased
 * exactly, for every vector, which {@linkcode eden} is only in the limit. Numbers beyond 3.1 root mean squares, one in 512,
 * are sent as they are: 0.09 bits a number.
 *
 * ω = 1.452, 0.2136, 0.04267, 0.009518 for 1 to 4 bits: the error on N(0, 1), which the rotated numbers of any vector follow
 * closely (within 2 % on adversarial ones, smaller in blocks of at most 32). Whatever the rotation, the mean over the other
 * draws never exceeds 3.89, 0.681, 0.150, 0.0379 times ‖x‖².
 *
 * Source: Ben Basat, Vargaftik, Portnoy, Einziger, Ben-Itzhak, Mitzenmacher: "QUIC-FL", arXiv:2205.13341. One bit
 * needs no table: its best values have a closed form; those of 2 to 4 are solved here (benches/tools/solve_quantizers.ts). The
 * authors' errors on N(0, 1) are 1.4671, 0.2149, 0.04312, 0.009684.
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
  // Numbers of mean square 1 of which so many exceed the limit.
  const most = (padded: number) => Math.floor(1.001 * padded / limit ** 2);
  /** The numbers h of a block. */
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
        const count = quicEncode(memory, table, share(own, padded), codes, indices);
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
        quicDecode(codes, table, share(own, padded), memory);
        at += 2;
        for (let before = -1; at < start; at += 6) {
          const place = message[at]! | (message[at + 1]! << 8), value = readFloat("quicFl", message, at + 2);
          // Outliers come in ascending order, are beyond the table, and have code 0 there.
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

const tableOf = (() => {
  const made: QuicTable[] = [];
  return (bits: number) => {
    const { rows, half } = QUIC_FL[bits - 1]!;
    return made[bits] ??= quicTable(bits, rows, bits === 1 ? oneBitRows(rows) : half);
  };
})();

/** Gives words the byte order that a view of bytes expects, where the machine has the other. */
function littleEndian(words: Uint32Array): void {
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] === 1) return;
  const view = new DataView(words.buffer);
  for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i]!, true);
}
