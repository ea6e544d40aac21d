import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { cast, type Compressor } from "../../../compressors/mod.ts";
import { bits, key } from "../../../random.ts";
import { draws, encodeHex, once, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

const formats = ["fp16", "bf16", "e4m3", "e5m2"] as const;
const mantissa = { fp16: 10, bf16: 7, e4m3: 3, e5m2: 2 };

for (const format of formats) {
  suite(cast({ format }), { draws: 1000 });
  suite(cast({ format, rounding: "random" }), { draws: 1000 });
}

Deno.test("the constants of normal numbers are attained", () => {
  // Nearest: worst at a tie just above a power of two, 1 + 2⁻ᵐ⁻¹. Random: f(1 − f) ulp² / (1 + f ulp)² at f = 1/(2 + ulp).
  const table = {
    fp16: [2.4e-7, 2.38e-7],
    bf16: [1.5e-5, 1.514e-5],
    e4m3: [0.00346, 0.003472],
    e5m2: [0.01235, 0.0125],
  };
  for (const format of formats) {
    const ulp = 2 ** -mantissa[format], nearest = cast({ format }), random = cast({ format, rounding: "random" });
    assertAlmostEquals(nearest.alpha(1), table[format][0]!, 0.02 * table[format][0]!);
    assertAlmostEquals(random.omega(1), table[format][1]!, 0.02 * table[format][1]!);
    const tie = new Float32Array(100).fill(1 + ulp / 2), worst = new Float32Array(1000).fill(1 + ulp / (2 + ulp));
    assertAlmostEquals(draws(nearest, tie, 1).error / squaredNorm(tie), nearest.alpha(100), 0.01 * nearest.alpha(100));
    const { error } = draws(random, worst, 200);
    assertAlmostEquals(error / squaredNorm(worst), random.omega(1000), 0.03 * random.omega(1000));
  }
});

Deno.test("nearest casts are IEEE's: Math.f16round, ties to even, subnormal halves", () => {
  // A first number of 65504 makes the scale 1, so the others are converted as they are.
  const words = bits(key(3), new Uint32Array(20_000)), x = new Float32Array(20_001);
  words.forEach((w, i) => x[i + 1] = (w & 1 ? -1 : 1) * (1 + (w >>> 9) * 2 ** -23) * 2 ** ((w >>> 1) % 42 - 27));
  [2 ** -25, 2 ** -24, 1.5 * 2 ** -24, 2.5 * 2 ** -24, 2049, 2051].forEach((v, i) => x[i + 1] = v);
  x[0] = 65504;
  assertEquals(once(cast({ format: "fp16" }), x), x.map((v) => half(v)));
  // bf16 keeps the upper half of the word; 0.1 = 0x3dcccccd rounds up.
  const [, tenth] = once(cast({ format: "bf16" }), Float32Array.of((2 - 2 ** -7) * 2 ** 127, 0.1));
  assertEquals(tenth, 0.10009765625);
});

/** To fp16 by arithmetic: the nearest multiple of the step at that size, ties to even. */
function half(v: number): number {
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(v) || 1e-9))) - 10);
  const q = v / step, low = Math.floor(q), rest = q - low;
  return step * (rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low);
}

Deno.test("messages are pinned", () => {
  assertEquals(encodeHex(cast({ format: "fp16" }), X), "0d007000f4007600f800");
  assertEquals(encodeHex(cast({ format: "bf16", rounding: "random" }), X), "7d007e00fe807ec0ff00");
  assertEquals(encodeHex(cast({ format: "e4m3" }), X), "060068f074f8");
  assertEquals(encodeHex(cast({ format: "e5m2", rounding: "random" }), X), "0d0070f476f8");
});

Deno.test("a mutant that truncates in place of rounding is caught", () => {
  const c = cast({ format: "e4m3", rounding: "random" }), x = new Float32Array(100).fill(1.05);
  const truncated: Compressor = { ...c, encode: (v, k, m) => c.encode(v.map((t) => Math.floor(8 * t) / 8), k, m) };
  assert(draws(truncated, x, 1000).deviation > 10 && draws(c, x, 1000).deviation < 7);
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => cast({ format: "fp32" as "fp16" }), TypeError, "format");
  assertThrows(() => cast({ format: "fp16", rounding: "up" as "nearest" }), TypeError, "rounding");
  const into = new Float32Array(1),
    decode = (...bytes: number[]) => () => cast({ format: "fp16" }).decodeAdd(Uint8Array.of(...bytes), key(1), 1, into);
  assertThrows(decode(0, 0, 0x7c, 0), RangeError, "not that of a finite number");
  assertThrows(decode(0, 0x80, 0, 0), RangeError, "scale");
  assertThrows(decode(0, 0, 0), RangeError, "3 bytes");
});
