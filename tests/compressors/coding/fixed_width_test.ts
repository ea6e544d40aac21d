import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { byteLengthOf, eachChunk, readCodes, widthOf, writeCodes } from "../../../compressors/coding/fixed_width.ts";

Deno.test("digits are taken where they are shorter than bits", () => {
  const digits = Array.from({ length: 300 }, (_, i) => i + 2).filter((count) => widthOf(count).perByte > 0);
  assertEquals(digits, [3, 5, 6]);
  for (const count of [2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 65536]) {
    const { bits, perByte } = widthOf(count);
    assert(2 ** bits >= count && 2 ** (bits - 1) < count && count ** perByte <= 256);
  }
});

Deno.test("codes of several chunks come back, in as many bytes as said", () => {
  for (const count of [2, 3, 5, 7, 16, 255, 300]) {
    for (const size of [0, 1, 9, 3840, 8000]) {
      const width = widthOf(count), bytes = byteLengthOf(width, size), message = new Uint8Array(2 + bytes);
      const fill = (codes: Uint32Array, from: number) => codes.forEach((_, i) => codes[i] = (7 * (from + i)) % count);
      assertEquals(writeCodes(width, size, message, 2, fill), 2 + bytes);
      let next = 0;
      const end = readCodes(width, size, message, 2, (codes, from) => {
        assertEquals(from, next);
        codes.forEach((code, i) => assertEquals(code, (7 * (from + i)) % count));
        next += codes.length;
      });
      assertEquals([end, next], [2 + bytes, size]);
    }
  }
});

Deno.test("each chunk is filled and then used, in order", () => {
  const order: string[] = [];
  eachChunk(4000, (codes, from) => order.push(`fill ${codes.length} ${from}`), (_, from) => order.push(`use ${from}`));
  assertEquals(order, ["fill 3840 0", "use 0", "fill 160 3840", "use 3840"]);
});

Deno.test("short messages, codes out of range and bits after the last are refused", () => {
  const read = (count: number, size: number, ...bytes: number[]) => () =>
    readCodes(widthOf(count), size, Uint8Array.from(bytes), 0, () => {});
  assertThrows(read(256, 3, 1, 2), RangeError, "it has 2 bytes, expected 3");
  assertThrows(read(7, 1, 0xe0), RangeError, "a code is 7, expected less than 7");
  assertThrows(read(4, 1, 0x41), RangeError, "bits set after its last");
  assertThrows(read(3, 5, 243), RangeError, "a byte is 243");
});
