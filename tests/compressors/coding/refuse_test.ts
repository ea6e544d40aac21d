import { assertThrows } from "@std/assert/mod.js";
import { refuse, requireBitLength, requireLength, requirePadding } from "../../../compressors/coding/refuse.ts";

Deno.test("refusals name the compressor, and what was found and expected", () => {
  const message = Uint8Array.of(0xff, 0xe0),
    says = (call: () => void, text: string) => assertThrows(call, RangeError, `Cannot decode x: ${text}`);
  says(() => refuse("x", "why"), "why");
  says(() => requireLength("x", message, 3), "the message has 2 bytes, expected 3");
  says(() => requireLength("x", message, 3, 9), "the message has 2 bytes, expected 3 for 9 numbers");
  says(() => requireBitLength("x", message, 8), "the message has 2 bytes, expected 1");
  says(() => requireBitLength("x", message, 10), "byte 1 has bits set after its last, expected zeros");
  says(() => requirePadding("x", message, 1), "byte 0 has bits set");
  requireLength("x", message, 2), requireBitLength("x", message, 11), requirePadding("x", message, 16);
});
