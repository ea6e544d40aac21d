import { assert, assertEquals, assertNotEquals } from "@std/assert/mod.js";
import { compress, decompress, dithering } from "../../../../compressors/mod.ts";
import { eliasLevels, entropyLevels, fixedLevels } from "../../../../compressors/quantizers/dithering/level_codes.ts";
import { key } from "../../../../random.ts";
import { gaussian } from "../../tools/draws.ts";

for (const make of [fixedLevels, eliasLevels, entropyLevels]) {
  Deno.test(`${make.name}: levels come back, from no more bytes than declared, and cut ones are noticed`, () => {
    for (const levels of [1, 2, 9, 300]) {
      const code = make(levels);
      for (const size of [0, 1, 61, 5000]) {
        const wanted = gaussian(size).map((z) => Math.max(-levels, Math.min(levels, Math.round(z * levels / 2))));
        const message = new Uint8Array(4 + code.maxByteLength(size)), into = new Float32Array(size).fill(1);
        const end = code.write(size, message, (codes, from) => {
          for (let i = 0; i < codes.length; i++) codes[i] = wanted[from + i]! + levels;
        });
        assert(end <= message.length);
        assertEquals(code.read(size, message.subarray(0, end), 2, into), end);
        assertEquals(into, wanted.map((level) => 1 + 2 * level));
        if (size === 0) continue;
        // A cut message is refused, or has other levels.
        try {
          code.read(size, message.subarray(0, end - 1), 2, into.fill(1));
          assertNotEquals(into, wanted.map((level) => 1 + 2 * level));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
      }
    }
  });
}

Deno.test("elias: no message is longer than declared, also where every number is at the last level", () => {
  for (const levels of [1, 2, 3, 100]) {
    for (const size of [1, 8, 61, 1000]) {
      const c = dithering({ levels, norm: "max", coding: "elias" }), x = new Float32Array(size).fill(-2);
      const message = compress(c, x, key(1));
      assert(message.length <= c.maxByteLength(size), `${message.length} bytes of ${c.maxByteLength(size)}`);
      assertEquals(decompress(c, message, key(1), size), x);
    }
  }
});
