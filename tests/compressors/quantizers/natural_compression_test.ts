import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, naturalCompression } from "../../../compressors/mod.ts";
import { compressorProperties } from "../../../testing/mod.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, once, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

const isPower = (v: number) => v === 0 || Number.isInteger(Math.log2(Math.abs(v)));

// Slack: rounding up the small numbers of a vector of huge dynamic range is too rare to be seen.
suite(naturalCompression(), { slack: 1e-5 });
for (
  const { name, check } of compressorProperties(naturalCompression(), {
    // Also where numbers are subnormal; the grid is that of the powers of two.
    kinds: ["subnormal", "dynamic", "gaussian", "zeros"],
    lattice: (decoded) => decoded.every(isPower),
    slack: 1e-5,
  })
) Deno.test(`${name} (subnormal)`, check);

Deno.test("the variance is the exact one of the table, and ω is attained by 4/3 of a power of two", () => {
  // 40 000 draws: standard error under 0.7 %, limit 3 %.
  assertAlmostEquals(assertUnbiased(naturalCompression(), X, 40_000).error, 1, 0.03);
  const third = new Float32Array(1000).fill(4 / 3 * 2 ** -20);
  assertAlmostEquals(draws(naturalCompression(), third, 500).error / squaredNorm(third), 1 / 8, 0.002);
});

Deno.test("zeros and powers of two are exact, the largest saturate", () => {
  const exact = Float32Array.of(0, -0, 1, -2, 2 ** -126, 2 ** 127, -(2 ** -127), 2 ** -149);
  assertEquals(draws(naturalCompression(), exact, 50).worst, 0);
  assertEquals([...once(naturalCompression(), Float32Array.of(3e38, -3e38))], [2 ** 127, -(2 ** 127)]);
});

Deno.test("9 bits a number; messages are pinned", () => {
  assertEquals(compress(naturalCompression(), gaussian(1000), key(1)).length, 1125);
  assertEquals(encodeHex(naturalCompression(), X), "3fe0101810");
  assertEquals(encodeHex(naturalCompression(), Float32Array.of(2e-45, 1)), "7f9fc000");
});

Deno.test("mutants are caught: the identity under this name, rounding that is always down", () => {
  const sound = naturalCompression();
  // Returns its input: no bias, so only the variance and the grid tell.
  const identity: Compressor = {
    ...sound,
    decodeAdd: (_m, _k, scale, into) => X.forEach((x, i) => into[i]! += scale * x),
  };
  assert(draws(identity, X, 100).error < 0.5);
  const down: Compressor = {
    ...sound,
    encode: (x, k, m) => sound.encode(x.map((v) => Math.sign(v) * 2 ** Math.floor(Math.log2(Math.abs(v)))), k, m),
  };
  assert(draws(down, X, 100).deviation > 10);
});

Deno.test("foreign messages are refused", () => {
  const into = new Float32Array(1);
  assertThrows(() => naturalCompression().decodeAdd(Uint8Array.of(0x7f, 0x80), key(1), 1, into), RangeError, "2 bytes");
  assertThrows(
    () => naturalCompression().decodeAdd(Uint8Array.of(0x7f, 0x80, 0xf8), key(1), 1, into),
    RangeError,
    "31",
  );
});
