/**
 * Several messages in one, for compressors made of others. Layout in FORMAT.md: what a message lacks of its longest is
 * only sent where some message is shorter, and never for the last.
 *
 * @module
 */

import { refuse } from "./refuse.ts";
import { scratch } from "../kernels/scratch.ts";

/** Working memory of {@linkcode Frames.encode}; one per compressor, for they nest. */
export class Frames {
  #name: string;
  #missing: (length: number) => Uint32Array = scratch(Uint32Array);

  /** @param name the compressor's, for errors */
  constructor(name: string) {
    this.#name = name;
  }

  /** The most bytes that `count` messages take whose own most sum up to `total`. */
  maxByteLength(count: number, total: number): number {
    return count < 2 ? total : total + count;
  }

  /**
   * Writes message 0 … count − 1: `encode` writes the i-th to the start of what it is given, `most(i)` bytes at least, and
   * returns its length. Returns the length of all.
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
    // Backwards, so that a decoder reads from the end: message 0 last, each least significant group last.
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
   * Hands message 0 … count − 1 to `decode`, in order.
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
