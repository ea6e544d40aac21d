/**
 * Several messages in one, for compressors made of others. Each message has a greatest length that the receiver knows. How
 * many bytes a message is shorter (here: missing) is sent only if one of them is, and never for the last message, which
 * takes the rest. FORMAT.md has the layout:
 *
 * | bytes                                          | sent if                           |
 * | ---------------------------------------------- | --------------------------------- |
 * | 1 if numbers of missing bytes are sent, else 0 | there are two messages or more    |
 * | message 0, message 1, …                        | always                            |
 * | missing bytes of the last message but one      | the first byte is 1               |
 * | … of the message before, and so on             | the first byte is 1               |
 * | missing bytes of message 0                     | the first byte is 1               |
 *
 * A number of missing bytes is sent as groups of 7 bits, the least significant last, all but the first marked by 128.
 *
 * @module
 */

import { refuse } from "./refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** Writes and reads messages of messages. A compressor has its own, because compressors nest and this keeps working memory. */
export class Frames {
  readonly #name: string;
  readonly #missing: (length: number) => Uint32Array = scratch(Uint32Array);

  /** @param name the compressor's name, which refusals tell */
  constructor(name: string) {
    this.#name = name;
  }

  /** The most bytes that `count` messages take whose greatest lengths add up to `total`. */
  maxByteLength(count: number, total: number): number {
    return count < 2 ? total : total + count;
  }

  /**
   * Writes the messages 0 … count − 1 and returns the length of all together.
   *
   * @param most the greatest length of message i
   * @param encode writes message i to the start of `part`, which has most(i) bytes or more, and returns its length
   */
  encode(
    message: Uint8Array,
    count: number,
    most: (i: number) => number,
    encode: (i: number, part: Uint8Array) => number,
  ): number {
    if (count < 2) return count === 0 ? 0 : encode(0, message);
    const missing = this.#missing(count);
    let at = 1, flag = 0;
    for (let i = 0; i < count; i++) {
      const room = most(i), length = encode(i, message.subarray(at, at + room));
      at += length;
      missing[i] = room - length;
      if (i < count - 1 && length < room) flag = 1;
    }
    message[0] = flag;
    if (flag === 0) return at;
    // The decoder reads them from the end of the message backwards.
    for (let i = count - 2; i >= 0; i--) {
      const start = at;
      let value = missing[i]!;
      for (; value > 127; value = Math.floor(value / 128)) message[at++] = 128 | (value & 127);
      message[at++] = value;
      message.subarray(start, at).reverse();
    }
    return at;
  }

  /**
   * Calls `decode` with the messages 0 … count − 1, in order.
   *
   * @throws {RangeError} if the lengths do not add up
   */
  decode(
    message: Uint8Array,
    count: number,
    most: (i: number) => number,
    decode: (i: number, part: Uint8Array) => void,
  ): void {
    if (count < 2) {
      if (count === 1) decode(0, message);
      else if (message.length > 0) refuse(this.#name, `the message has ${message.length} bytes, expected 0`);
      return;
    }
    const flag = message[0];
    if (flag !== 0 && flag !== 1) refuse(this.#name, `its first byte is ${flag}, expected 0 or 1`);
    let at = 1, end = message.length, total = 0;
    for (let i = 0; i < count - 1; i++) {
      let missing = 0;
      if (flag === 1) {
        for (let weight = 1;; weight *= 128) {
          if (end <= at || weight > 2 ** 28) refuse(this.#name, "a length is cut off");
          const byte = message[--end]!;
          missing += (byte & 127) * weight;
          if (byte >= 128) continue;
          if (byte === 0 && weight > 1) refuse(this.#name, "a length has a group too many");
          break;
        }
        total += missing;
      }
      const length = most(i) - missing;
      if (length < 0 || at + length > end) {
        refuse(this.#name, `message ${i} has ${length} bytes, expected 0 to ${end - at}`);
      }
      decode(i, message.subarray(at, at + length));
      at += length;
    }
    if (flag === 1 && total === 0) refuse(this.#name, "lengths are given that all messages have");
    decode(count - 1, message.subarray(at, end));
  }
}
