import { assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { BitReader, BitWriter } from "../../../compressors/coding/bits.ts";

const field = fc.integer({ min: 0, max: 32 }).chain((count) =>
  fc.tuple(fc.integer({ min: 0, max: count === 0 ? 0 : 2 ** count - 1 }), fc.constant(count))
);

Deno.test("what was written is read, and the bits stand most significant first", () => {
  fc.assert(fc.property(fc.array(field), fc.nat(3), (fields, start) => {
    const bytes = new Uint8Array(start + 4 * fields.length + 1), writer = new BitWriter(bytes, start);
    for (const [value, count] of fields) writer.write(value, count);
    const end = writer.finish(), text = fields.map(([v, n]) => n === 0 ? "" : v.toString(2).padStart(n, "0")).join("");
    assertEquals(end, start + Math.ceil(text.length / 8));
    const written = [...bytes.subarray(start, end)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    assertEquals(written, text.padEnd(written.length, "0"));
    const reader = new BitReader(bytes.subarray(0, end), start);
    for (const [value, count] of fields) assertEquals(reader.read(count), value);
    reader.end();
  }));
});

Deno.test("unary codes of any length", () => {
  fc.assert(fc.property(fc.array(fc.nat(100)), (ones) => {
    const bytes = new Uint8Array(13 * ones.length + 1), writer = new BitWriter(bytes);
    ones.forEach((n) => writer.unary(n));
    const reader = new BitReader(bytes.subarray(0, writer.finish()));
    assertEquals(ones.map((n) => reader.unary(n)), ones);
    reader.end();
  }));
});

Deno.test("the reader refuses what is short, long or not zero-padded", () => {
  assertThrows(() => new BitReader(Uint8Array.of(255)).read(9), RangeError, "ends after 1 bytes");
  assertThrows(() => new BitReader(Uint8Array.of(0xf0)).unary(3), RangeError, "exceeds 3");
  const reader = new BitReader(Uint8Array.of(0x80, 0));
  reader.read(1);
  assertThrows(() => reader.end(), RangeError, "expected an end");
  const padded = new BitReader(Uint8Array.of(0xc0));
  padded.read(1);
  assertThrows(() => padded.end(), RangeError, "zero padding");
});
