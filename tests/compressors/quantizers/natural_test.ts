import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, naturalCompression, naturalDithering } from "../../../compressors/mod.ts";
import { compressorProperties } from "../../../testing/compressor.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, once, squaredNorm, X } from "../draws.ts";

const isPower = (v: number) => v === 0 || Number.isInteger(Math.log2(Math.abs(v)));

// Slack: rounding up the small numbers of a vector of huge dynamic range is too rare to be seen.
for (
  const c of [naturalCompression(), naturalDithering({ levels: 3 }), naturalDithering({ levels: 2, norm: "l2" })]
) for (const { name, check } of compressorProperties(c, { slack: 1e-5 })) Deno.test(name, check);
for (
  const { name, check } of compressorProperties(naturalCompression(), {
    // Also where numbers are subnormal; the grid is that of the powers of two.
    kinds: ["subnormal", "dynamic", "gaussian", "zeros"],
    lattice: (decoded) => decoded.every(isPower),
    slack: 1e-5,
  })
) Deno.test(`${name} (subnormal)`, check);

Deno.test("natural compression and dithering have the exact variances of the table", () => {
  // 40 000 draws: standard error under 0.7 %, limit 3 %.
  const exact = (c: Compressor, expected: number) =>
    assertAlmostEquals(assertUnbiased(c, X, 40_000).error, expected, 0.03 * expected);
  exact(naturalCompression(), 1);
  [10, 2, 1].forEach((e, i) => exact(naturalDithering({ levels: i + 1 }), e));
  [24.772256, 5.726707, 3.346013].forEach((e, i) => exact(naturalDithering({ levels: i + 1, norm: "l2" }), e));
});

Deno.test("ω is attained: 1/8 by 4/3 of a power of two, and by the worst vectors of natural dithering", () => {
  const third = new Float32Array(1000).fill(4 / 3 * 2 ** -20);
  assertAlmostEquals(draws(naturalCompression(), third, 500).error / squaredNorm(third), 1 / 8, 0.002);
  for (const [size, levels] of [[64, 1], [500, 3], [10_000, 5]] as const) {
    const c = naturalDithering({ levels }), l = 2 ** (1 - levels);
    const x = new Float32Array(size).fill(l / (1 + Math.sqrt(1 + (size - 1) * l * l)));
    x[1] = 1;
    assertAlmostEquals(draws(c, x, 2000).error / squaredNorm(x), c.omega(size), 0.05 * c.omega(size));
  }
  // Euclidean norm, all equal: √d l − 1.
  const c = naturalDithering({ levels: 2, norm: "l2" }), equal = new Float32Array(400).fill(3);
  assertAlmostEquals(c.omega(400), 9);
  assertAlmostEquals(draws(c, equal, 2000).error / squaredNorm(equal), 9, 0.3);
});

Deno.test("zeros and powers of two are exact, the largest saturate", () => {
  const exact = Float32Array.of(0, -0, 1, -2, 2 ** -126, 2 ** 127, -(2 ** -127), 2 ** -149);
  assertEquals(draws(naturalCompression(), exact, 50).worst, 0);
  assertEquals([...once(naturalCompression(), Float32Array.of(3e38, -3e38))], [2 ** 127, -(2 ** 127)]);
});

Deno.test("9 bits a number, 4 bits at 7 levels, messages are pinned", () => {
  assertEquals(compress(naturalCompression(), gaussian(1000), key(1)).length, 1125);
  assertEquals(compress(naturalDithering({ levels: 7 }), gaussian(1000), key(1)).length, 504);
  assertEquals(encodeHex(naturalCompression(), X), "3fe0101810");
  assertEquals(encodeHex(naturalCompression(), Float32Array.of(2e-45, 1)), "7f9fc000");
  assertEquals(encodeHex(naturalDithering({ levels: 3 }), X), "000080408680");
  assertEquals(encodeHex(naturalDithering({ levels: 7, norm: "l2" }), X), "6f45af40b2d0");
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

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => naturalDithering({ levels: 0 }), RangeError, "levels is 0");
  assertThrows(() => naturalDithering({ levels: 128 }), RangeError, "levels is 128");
  const into = new Float32Array(1);
  assertThrows(() => naturalCompression().decodeAdd(Uint8Array.of(0x7f, 0x80), key(1), 1, into), RangeError, "2 bytes");
  assertThrows(
    () => naturalCompression().decodeAdd(Uint8Array.of(0x7f, 0x80, 0xf8), key(1), 1, into),
    RangeError,
    "31",
  );
});
