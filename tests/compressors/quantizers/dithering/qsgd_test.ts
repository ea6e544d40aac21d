import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, dithering, qsgd } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, ones, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

// Slack: rounding up the small numbers of a vector of huge dynamic range is too rare to be seen.
suite(qsgd({ levels: 2 }), { slack: 1e-5 });

Deno.test("qsgd is dithering by the Euclidean norm in Elias's code, with the same error and ω", () => {
  const c = qsgd({ levels: 2 });
  assertAlmostEquals(assertUnbiased(c, X, 40_000).error, 5.726707, 0.03 * 5.726707);
  assertEquals(encodeHex(c, X), encodeHex(dithering({ levels: 2, coding: "elias" }), X));
  // All equal numbers are the worst: √d / levels − 1.
  assertEquals(c.omega(64), 3);
  assertAlmostEquals(draws(c, ones(64), 4000).error / 64, 3, 0.09);
});

Deno.test("bits are within the published bound", () => {
  // Published bound of QSGD: (3 + 1.5 log₂(2(s² + d) / (s(s + √d)))) s(s + √d) + 32 bits in the mean.
  for (const [size, levels] of [[4096, 1], [4096, 8], [4096, 64]] as const) {
    for (const x of [gaussian(size), ones(size)]) {
      const room = levels * (levels + Math.sqrt(size));
      const bound = (3 + 1.5 * Math.log2(2 * (levels ** 2 + size) / room)) * room + 32;
      const bits = 8 * compress(qsgd({ levels }), x, key(1)).length;
      assert(bits <= bound, `${bits} bits, expected at most ${bound}`);
    }
  }
});

Deno.test("messages are pinned", () => {
  assertEquals(encodeHex(qsgd({ levels: 4 }), X), "6f45af40984600");
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => qsgd({ levels: 0 }), RangeError, "Cannot make qsgd: levels is 0");
  const c = qsgd({ levels: 3 }), message = compress(c, X, key(1));
  for (const bytes of [message.slice(0, -1), Uint8Array.of(...message, 0), Uint8Array.of(0, 0, 192, 127, 0, 0)]) {
    assertThrows(() => c.decodeAdd(bytes, key(1), 1, new Float32Array(4)), RangeError);
  }
});
