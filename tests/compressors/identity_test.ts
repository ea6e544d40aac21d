import { assertThrows } from "@std/assert/mod.js";
import { compress, identity } from "../../compressors/mod.ts";
import { key } from "../../random.ts";
import { compressorProperties } from "../../testing/mod.ts";

for (const { name, check } of compressorProperties(identity(), { error: () => 0 })) Deno.test(name, check);

Deno.test("compress refuses numbers that are not finite, by position", () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const refused = () => compress(identity(), Float32Array.of(1, 2, value, NaN), key(1));
    assertThrows(refused, RangeError, `number 2 is ${value}`);
  }
  compress(identity(), new Float32Array(100).fill(3.4e38), key(1));
});
