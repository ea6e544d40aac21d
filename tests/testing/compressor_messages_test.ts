/** Each check of messages by itself: a compressor with one fault, and what the suite says of it. @module */

import type { Compressor } from "../../compressors/mod.ts";
import { decodedAs, testFaults, whole } from "./compressor_faults.ts";

const memory = new Float32Array(2000);

/**
 * An identity whose message begins with a mark and ends with a checksum of what stands from byte 100 on, and which throws
 * a TypeError for what `refuses` says of a message with the mark.
 */
function marked(refuses: (message: Uint8Array, size: number, sound: boolean) => boolean): Compressor {
  const MARK = 0xa7, sum = (bytes: Uint8Array) => bytes.subarray(100).reduce((sum, byte) => sum ^ byte, 0);
  return {
    name: "marked",
    options: {},
    maxByteLength: (size) => 2 + 4 * size,
    encode(vector, key, message) {
      message[0] = MARK;
      const end = 1 + whole.encode(vector, key, message.subarray(1));
      message[end] = sum(message.subarray(0, end));
      return end + 1;
    },
    decodeAdd(message, key, scale, into) {
      const sound = message.at(-1) === sum(message.subarray(0, -1));
      if (message[0] !== MARK) throw new RangeError("not marked");
      if (refuses(message, into.length, sound)) throw new TypeError("a fault of the decoder's own");
      if (!sound || message.length !== 2 + 4 * into.length) throw new RangeError("damaged");
      whole.decodeAdd(message.slice(1, -1), key, scale, into);
    },
  };
}

const equalBytes = "equal vector and key", decoding = "decoding is finite", damaged = "a message that is not one";

testFaults([
  ["declares half a byte", { ...whole, maxByteLength: (size) => 4 * size + .5 }, equalBytes, /maxByteLength\(0\) is/],
  [
    "says that it wrote more than it may",
    { ...whole, encode: (vector, key, message) => whole.encode(vector, key, message) + 1 },
    equalBytes,
    /1 bytes were written for 0 numbers, declared 0/,
  ],
  [
    "forgets the first number, also the caller's",
    {
      ...whole,
      encode(vector, key, message) {
        vector.fill(0, 0, 1);
        return whole.encode(vector, key, message);
      },
    },
    equalBytes,
    /the vector was modified/,
  ],
  [
    "writes before its message",
    {
      ...whole,
      encode(vector, key, message) {
        if (message.byteOffset > 0) new Uint8Array(message.buffer)[message.byteOffset - 1] = 0;
        return whole.encode(vector, key, message);
      },
    },
    equalBytes,
    /wrote outside the message/,
  ],
  [
    "writes behind its message",
    {
      ...whole,
      encode(vector, key, message) {
        new Uint8Array(message.buffer)[message.byteOffset + message.length] = 0;
        return whole.encode(vector, key, message);
      },
    },
    equalBytes,
    /wrote outside the message/,
  ],
  [
    "sends what a longer vector left in its memory",
    {
      ...whole,
      maxByteLength: (size) => 4 * size + 1,
      encode(vector, key, message) {
        memory.set(vector);
        const length = whole.encode(vector, key, message);
        message[length] = memory[vector.length]!;
        return length + 1;
      },
    },
    equalBytes,
    /equal inputs gave/,
  ],
  [
    "overflows",
    {
      ...whole,
      decodeAdd(message, key, scale, into) {
        whole.decodeAdd(message, key, scale, into);
        into.forEach((value, i) => into[i] = Math.fround(value * 100) / 100);
      },
    },
    decoding,
    /decoded \[.*Infinity/,
  ],
  [
    "decodes in place",
    {
      ...whole,
      decodeAdd(message, key, scale, into) {
        whole.decodeAdd(message, key, scale, into);
        message.reverse();
      },
    },
    decoding,
    /decoding modified the message/,
  ],
  [
    "overwrites",
    {
      ...whole,
      decodeAdd: (message, key, scale, into) => whole.decodeAdd(message, key, scale, into.fill(0)),
    },
    decoding,
    /decodeAdd at scale -1 left/,
  ],
  [
    "writes beside its place",
    {
      ...whole,
      decodeAdd(message, key, scale, into) {
        whole.decodeAdd(message, key, scale, into);
        if (into.byteOffset > 0) new Float32Array(into.buffer)[into.byteOffset / 4 - 1] = 0;
      },
    },
    decoding,
    /left 0 at -1,/,
  ],
  [
    "takes scale 0 for 1",
    {
      ...whole,
      decodeAdd: (message, key, scale, into) => whole.decodeAdd(message, key, scale || 1, into),
    },
    decoding,
    /decodeAdd at scale 0 changed the vector/,
  ],
  ["makes something of nothing", decodedAs((value) => value || 1e-30), "zeros", /zeros of 1 came back as/],
  ["fails on cut messages", marked((m, d) => m.length < 2 + 4 * d && m.length % 4 !== 2), damaged, /own/],
  ["fails on extended messages", marked((m, d) => m.length > 2 + 4 * d && m.length % 4 !== 2), damaged, /own/],
  // Of lengths that nothing but the trials with one number more and one less asks for.
  ["fails on a length one number too short", marked((_, d) => d === 1001), damaged, /own/],
  ["fails on a length one number too long", marked((_, d) => d === 999), damaged, /own/],
  // Made-up messages are shorter.
  [
    "fails on flipped bits beyond byte 100",
    marked((m, d, sound) => m.length > 200 && m.length === 2 + 4 * d && !sound),
    damaged,
    /own/,
  ],
  [
    "decodes damaged messages to NaN",
    {
      ...whole,
      decodeAdd(message, _key, scale, into) {
        const bytes = new Uint8Array(4 * into.length);
        bytes.set(message.subarray(0, bytes.length));
        new Float32Array(bytes.buffer).forEach((value, i) => into[i]! += scale * value);
      },
    },
    damaged,
    /decoded to \[.*(NaN|Infinity)/,
  ],
]);
