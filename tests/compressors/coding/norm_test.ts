import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { MAX_FLOAT32 } from "../../../compressors/kernels/float32.ts";
import { normFrom31, normTo31, readNorm, sentNorm, writeNorm } from "../../../compressors/coding/norm.ts";

Deno.test("a norm is read as it says that it is sent, also above float32", () => {
  for (const value of [0, 1, 0.1, 1e-45, MAX_FLOAT32, 3.5e38, 1e42]) {
    const message = new Uint8Array(6), sent = sentNorm(value);
    writeNorm(value, message, 2);
    assertEquals(readNorm("x", message, 2, 1e43), sent);
    assert(Math.abs(sent - value) <= Math.max(2 ** -24 * value, 2 ** -150));
  }
});

Deno.test("norms that no encoder writes are refused", () => {
  const read = (value: number, most?: number) => () => {
    const message = new Uint8Array(4);
    new DataView(message.buffer).setFloat32(0, value, true);
    return readNorm("x", message, 0, most);
  };
  assertThrows(read(NaN), RangeError, "Cannot decode x: the norm is NaN, expected a finite number");
  assertThrows(read(-1), RangeError, "the norm is -1, expected a number from 0 to");
  assertThrows(read(-(2 ** 66), 1e39), RangeError, "expected a number from 0 to 1e+39");
  assertThrows(read(2, 1), RangeError, "the norm is 2, expected a number from 0 to 1");
  assertThrows(() => readNorm("x", new Uint8Array(3)), RangeError, "has 3 bytes, expected at least 4");
});

Deno.test("norms of 31 bits", () => {
  for (const value of [0, 1, 1e-45, 1e-40, 3.4e38, 1e30]) assertEquals(normFrom31(normTo31(value)), Math.fround(value));
  for (const value of [3.5e38, 1e39, 1e42]) {
    const back = normFrom31(normTo31(value));
    assert(Math.abs(back / value - 1) < 2e-6 && normTo31(value) < 2 ** 31 - 1, `${value}: ${back}`);
  }
});
