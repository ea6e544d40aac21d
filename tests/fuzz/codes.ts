/**
 * The codes that compressors share. What a decoder accepts is, to the last bit, what the encoder writes for what was read:
 * each content has one message.
 *
 * @module
 */

import { bitModels, RangeDecoder, RangeEncoder } from "../../compressors/coding/range_coder.ts";
import {
  decodeIntegers,
  encodeIntegers,
  IntegerModel,
  integersByteLength,
} from "../../compressors/coding/integer_model.ts";
import { decodeCountMask, encodeCountMask } from "../../compressors/coding/count_mask.ts";
import { decodeIndexSet, encodeIndexSet } from "../../compressors/coding/index_set.ts";
import { BitReader, BitWriter } from "../../compressors/coding/bits.ts";
import { readOmega, writeOmega } from "../../compressors/coding/elias.ts";
import { accepts, type Area, type Try } from "./area.ts";
import { damaged } from "./damage.ts";
import type { Draw } from "./draw.ts";

const values = new Int32Array(64), bytes = new Uint8Array(400), other = new Uint8Array(0);

function equalBits(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let bit = from; bit < to; bit++) {
    if (((a[bit >>> 3]! ^ b[bit >>> 3]!) >>> (7 - (bit & 7)) & 1) === 1) return false;
  }
  return true;
}

/** Signed integers through the adaptive coder. */
function tryIntegers(draw: Draw, note: (input: unknown) => void): boolean {
  const count = draw.below(40), most = draw.of([1, 2, 7, 100, 2 ** 29]), own = values.subarray(0, count);
  for (let i = 0; i < count; i++) own[i] = draw.once(2) ? 0 : draw.below(2 * Math.min(most, 9) + 1) - Math.min(most, 9);
  const room = integersByteLength(count, most) + 2;
  const message = damaged(bytes.slice(0, encodeIntegers(own, most, bytes.subarray(0, room), 0)), other, draw);
  note({ what: "integers", count, most, message });
  if (!accepts(() => void decodeIntegers(message, 0, most, own))) return false;
  // Either form is read, whichever an encoder would choose; here it is the one that was read.
  if (message.length > 0 && message[0]! >= 128) return true;
  const encoder = new RangeEncoder(bytes.fill(0)), model = new IntegerModel();
  encoder.raw(0, 1);
  own.forEach((value) => model.encode(encoder, value));
  const again = bytes.subarray(0, encoder.finish());
  if (message.length !== again.length || !equalBits(message, again, 0, 8 * message.length)) {
    throw new Error(`integers ${own} are read from ${message}, and written as ${again}`);
  }
  return true;
}

/** Raw and modelled decisions mixed. */
function tryRange(draw: Draw, note: (input: unknown) => void): boolean {
  const message = damaged(bytes.subarray(0, draw.below(12)), other, draw), count = draw.below(40), seed = draw.word();
  note({ what: "range", count, seed, message });
  const decoder = new RangeDecoder(message), models = bitModels(4), out: number[] = [];
  const width = (i: number) => (seed >>> (i % 27)) & 31;
  for (let i = 0; i < count; i++) out.push(i % 3 === 0 ? decoder.raw(width(i)) : decoder.bit(models, i & 3));
  if (!accepts(() => decoder.end())) return false;
  const again = new Uint8Array(400), encoder = new RangeEncoder(again), own = bitModels(4);
  out.forEach((value, i) => i % 3 === 0 ? encoder.raw(value, width(i)) : encoder.bit(own, i & 3, value));
  const length = encoder.finish();
  if (length !== message.length || !equalBits(again, message, 0, 8 * length)) {
    throw new Error(`decisions ${out} are read from ${message}, and written as ${again.subarray(0, length)}`);
  }
  return true;
}

const indices = new Uint32Array(64);

/** Sets of indices; as count-masks alone, and in whichever form is the shortest. */
function trySet(draw: Draw, note: (input: unknown) => void): boolean {
  const size = draw.once(8) ? 2 ** 17 : 1 + draw.below(60),
    count = Math.min(size, draw.below(size > 99 ? 4 : size + 1));
  const bitAt = draw.below(9), message = damaged(bytes.subarray(0, draw.below(20)), other, draw), mask = draw.once(2);
  note({ what: mask && size < 99 ? "count-mask" : "index set", size, count, bitAt, message });
  let end = 0;
  const accepted = accepts(() => {
    end = mask && size < 99
      ? decodeCountMask(message, bitAt, count, size, indices)
      : decodeIndexSet(message, bitAt, count, size, indices);
  });
  if (!accepted) return false;
  for (let j = 0; j < count; j++) {
    if (!(indices[j]! < size && (j === 0 || indices[j]! > indices[j - 1]!))) throw new Error(`it gave ${indices}`);
  }
  if (size > 99) return true;
  const again = new Uint8Array(64);
  const written = mask
    ? encodeCountMask(indices, count, size, again, bitAt)
    : encodeIndexSet(indices, count, size, again, bitAt);
  // A longer form of the same set is read as well: which one is an encoder's choice.
  if (mask ? written !== end || !equalBits(again, message, bitAt, end) : written > end) {
    throw new Error(`the set ${indices.subarray(0, count)} is read from ${message}, and written as ${again}`);
  }
  return true;
}

/** Elias's omega code of integers. */
function tryElias(draw: Draw, note: (input: unknown) => void): boolean {
  const message = damaged(bytes.subarray(0, draw.below(9)), other, draw);
  note({ what: "readOmega", message });
  const reader = new BitReader(message);
  let value = 0;
  if (!accepts(() => void (value = readOmega(reader)))) return false;
  const again = new Uint8Array(20), writer = new BitWriter(again);
  writeOmega(writer, value);
  if (writer.position !== reader.position || value < 1) throw new Error(`${value} is read, ${writer.position} bits`);
  writer.finish();
  if (!equalBits(again, message, 0, reader.position)) throw new Error(`${value} is read, and written as ${again}`);
  return true;
}

const tries = [tryIntegers, tryRange, trySet, tryElias];

/** The codes of integers and sets. */
export const codes: Area = {
  name: "codes",
  share: 20,
  prepare: (): Try => (draw, note) => draw.of(tries)(draw, note),
};
