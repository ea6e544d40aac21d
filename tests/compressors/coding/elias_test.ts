import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { BitReader, BitWriter } from "../../../compressors/coding/bits.ts";
import { omegaLength, readOmega, writeOmega } from "../../../compressors/coding/elias.ts";

/** The first bits of the code of n. */
function bitsOf(n: number, count: number): string {
  const bytes = new Uint8Array(16), writer = new BitWriter(bytes);
  writeOmega(writer, n);
  writer.finish();
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("").slice(0, count);
}

Deno.test("omega codes are the published ones", () => {
  assertEquals(bitsOf(4, 6), "101000");
  assertEquals(bitsOf(16, 11), "10100100000");
  assertEquals(bitsOf(100, 13), "1011011001000");
  assertEquals([1, 2, 3, 4, 8, 16, 100, 1e6].map(omegaLength), [1, 3, 3, 6, 7, 11, 13, 31]);
});

Deno.test("omega codes are read back, one after the other", () => {
  const numbers = [1, 2, 3, 4, 5, 7, 8, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const bytes = new Uint8Array(200), writer = new BitWriter(bytes);
  for (const n of numbers) writeOmega(writer, n);
  assertEquals(writer.position, numbers.reduce((sum, n) => sum + omegaLength(n), 0));
  const reader = new BitReader(bytes.subarray(0, writer.finish()));
  assertEquals(numbers.map(() => readOmega(reader)), numbers);
});

Deno.test("codes of no integer below 2³² and cut messages are refused", () => {
  assertThrows(() => readOmega(new BitReader(new Uint8Array(8).fill(0xff))), RangeError, "omega");
  assertThrows(() => readOmega(new BitReader(new Uint8Array(0))), RangeError, "ends after");
});
