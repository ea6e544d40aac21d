import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  fromLeadingBits,
  leadingBits,
  readLogScale,
  sentLogScale,
  writeLogScale,
} from "../../../compressors/coding/log_scale.ts";

Deno.test("leading bits ascend, and stand for the least number that has them", () => {
  fc.assert(fc.property(fc.float({ min: 0, noNaN: true, max: 2 ** 126 }), fc.integer({ min: 1, max: 12 }), (x, m) => {
    const code = leadingBits(x, m), low = fromLeadingBits(code, m);
    assertEquals(leadingBits(low, m), code);
    assert(low <= x && x < fromLeadingBits(code + 1, m), `${low} for ${x}`);
  }));
});

Deno.test("a scale is sent as it says, in one byte from 2⁻⁴⁵ to 2¹⁸", () => {
  for (const value of [0, 2 ** -45, 1, 1.3, 2 ** 18 * 0.999, 2 ** 18, 2 ** -46, 3e38].map(Math.fround)) {
    const message = new Uint8Array(5), sent = sentLogScale(value), end = writeLogScale(sent, message);
    assertEquals(readLogScale("x", message.subarray(0, end)), { value: sent, end });
    const inByte = value === 0 || value >= 2 ** -45 && value < 2 ** 18;
    assertEquals(end, inByte ? 1 : 5);
    assert(sent <= value && sent >= 0.8 * value);
  }
});

Deno.test("codes that no encoder writes are refused", () => {
  const read = (...bytes: number[]) => () => readLogScale("x", Uint8Array.from(bytes));
  assertThrows(read(), RangeError, "Cannot decode x: the message is empty");
  assertThrows(read(253), RangeError, "code is 253, expected at most 252, or 255");
  assertThrows(read(255, 0, 0, 0x80, 0x3f), RangeError, "the scale is 1 in five bytes, expected it in one");
  assertThrows(read(255, 0, 0), RangeError, "has 3 bytes, expected at least 5");
});
