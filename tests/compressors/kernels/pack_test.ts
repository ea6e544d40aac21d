import { assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { pack, packDigits, unpack, unpackDigits } from "../../../compressors/kernels/pack.ts";

const lists = fc.array(fc.nat(2 ** 24 - 1), { maxLength: 50 });

Deno.test("codes of any width come back, most significant bit first", () => {
  fc.assert(fc.property(lists, fc.integer({ min: 1, max: 24 }), fc.nat(3), (list, width, at) => {
    const codes = Uint32Array.from(list, (v) => v % 2 ** width), bytes = new Uint8Array(at + 200), back = codes.slice();
    const end = pack(codes, width, bytes, at),
      text = [...codes].map((c) => c.toString(2).padStart(width, "0")).join("");
    assertEquals(end, at + Math.ceil(codes.length * width / 8));
    const bits = [...bytes.subarray(at, end)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    assertEquals(bits, text.padEnd(bits.length, "0"));
    assertEquals(unpack(bytes, at, width, back.fill(0)), end);
    assertEquals(back, codes);
  }));
});

Deno.test("digits of any base come back, the first the least significant", () => {
  const bases = fc.constantFrom([3, 5], [5, 3], [6, 3], [15, 2], [200, 1]);
  fc.assert(fc.property(lists, bases, fc.nat(3), (list, [base, perByte], at) => {
    const codes = Uint32Array.from(list, (v) => v % base!), bytes = new Uint8Array(at + 60), back = codes.slice();
    const end = packDigits(codes, base!, perByte!, bytes, at);
    assertEquals(end, at + Math.ceil(codes.length / perByte!));
    assertEquals(unpackDigits(bytes, at, base!, perByte!, back.fill(0)), end);
    assertEquals(back, codes);
  }));
  const bytes = new Uint8Array(1);
  packDigits(Uint32Array.of(2, 0, 1), 3, 5, bytes, 0);
  assertEquals(bytes[0], 2 + 0 + 9);
});

Deno.test("bytes that no digits make are refused", () => {
  const read = (byte: number, count: number) => unpackDigits(Uint8Array.of(byte), 0, 3, 5, new Uint32Array(count));
  assertThrows(() => read(243, 5), RangeError, "a byte is 243, expected less than 243");
  assertThrows(() => read(9, 2), RangeError, "a digit too many");
});
