import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { BitReader, BitWriter } from "../../../compressors/coding/bits.ts";
import { omegaLength, readGamma, readOmega, writeGamma, writeOmega } from "../../../compressors/coding/elias.ts";

/** The first bits that `write` makes of n. */
function bitsOf(write: (writer: BitWriter, n: number) => void, n: number, count: number): string {
  const bytes = new Uint8Array(16), writer = new BitWriter(bytes);
  write(writer, n);
  writer.finish();
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("").slice(0, count);
}

Deno.test("Elias codes are the published ones", () => {
  assertEquals(bitsOf(writeGamma, 5, 5), "00101");
  assertEquals(bitsOf(writeOmega, 4, 6), "101000");
  assertEquals(bitsOf(writeOmega, 16, 11), "10100100000");
  assertEquals(bitsOf(writeOmega, 100, 13), "1011011001000");
  assertEquals([1, 2, 3, 4, 8, 16, 100, 1e6].map(omegaLength), [1, 3, 3, 6, 7, 11, 13, 31]);
});

Deno.test("Elias codes are read back, one after the other", () => {
  const numbers = [1, 2, 3, 4, 5, 7, 8, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  for (const [write, read] of [[writeGamma, readGamma], [writeOmega, readOmega]] as const) {
    const bytes = new Uint8Array(200), writer = new BitWriter(bytes);
    for (const n of numbers) write(writer, n);
    const reader = new BitReader(bytes.subarray(0, writer.finish()));
    assertEquals(numbers.map(() => read(reader)), numbers);
  }
});

Deno.test("codes of no integer below 2³² and cut messages are refused", () => {
  assertThrows(() => readGamma(new BitReader(new Uint8Array(8))), RangeError, "gamma");
  assertThrows(() => readOmega(new BitReader(new Uint8Array(8).fill(0xff))), RangeError, "omega");
  for (const read of [readGamma, readOmega]) {
    assertThrows(() => read(new BitReader(new Uint8Array(0))), RangeError, "ends after");
  }
});
