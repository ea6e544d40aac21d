import { assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { readFloat, readScale, readWord, writeFloat } from "../../../compressors/coding/floats.ts";

Deno.test("a float is four bytes, little-endian", () => {
  fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.nat(3), (value, at) => {
    const message = new Uint8Array(at + 4);
    assertEquals(writeFloat(value, message, at), at + 4);
    assertEquals(new DataView(message.buffer).getFloat32(at, true), value);
    assertEquals(readFloat("x", message, at), value);
    assertEquals(readWord("x", message, at), new DataView(message.buffer).getUint32(at, true));
    if (value > 0) assertEquals(readScale("x", message, at), value);
  }));
});

Deno.test("floats that are cut off, not finite or negative are refused by name", () => {
  const bytes = (value: number) => {
    const message = new Uint8Array(4);
    writeFloat(value, message, 0);
    return message;
  };
  assertThrows(() => readFloat("x", new Uint8Array(4), 1), RangeError, "Cannot decode x: the message has 4 bytes");
  assertThrows(() => readFloat("x", bytes(NaN), 0), RangeError, "Cannot decode x: a scale is NaN");
  assertThrows(() => readScale("x", bytes(-Infinity), 0), RangeError, "a scale is -Infinity");
  assertThrows(() => readScale("x", bytes(-2), 0), RangeError, "a scale is -2, expected a number of at least 0");
  assertThrows(() => readScale("x", bytes(-0), 0), RangeError, "a scale is −0");
});
