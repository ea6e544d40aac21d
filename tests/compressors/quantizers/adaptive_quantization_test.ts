import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { adaptiveQuantization, compress, type Compressor } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { draws, encodeHex, gaussian, once, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** ‖x‖² − S₊² / m₊ − S₋² / m₋ over the largest m of each sign, by sorting. */
const exact = (proportion: number) => (x: Float32Array) => {
  const kept = (numbers: Float32Array) => {
    const m = Math.ceil(proportion * numbers.length),
      sum = numbers.sort().subarray(numbers.length - m).reduce((s, v) => s + v, 0);
    return m === 0 ? 0 : sum * sum / m;
  };
  return squaredNorm(x) - kept(x.filter((v) => v > 0)) - kept(x.filter((v) => v < 0).map((v) => -v));
};

for (const proportion of [0.03, 0.5, 1]) {
  suite(adaptiveQuantization({ proportion }), {
    error: exact(proportion),
    lattice: (decoded) => new Set(decoded).size <= 3,
    // One number among tiny ones of its sign, or as many equal ones as lose the largest share, and zeros.
    worst: (size) => {
      const share = (n: number) => Math.ceil(proportion * n) / n;
      let n = 1;
      for (let i = 2; i <= size; i++) if (share(i) < share(n)) n = i;
      if (share(n) < 1 / Math.ceil(proportion * size)) return new Float32Array(size).fill(1, 0, n);
      return new Float32Array(size).fill(1e-6).fill(1, 0, 1);
    },
  });
}

Deno.test("the largest of each sign become their mean, ties by index", () => {
  const c = adaptiveQuantization({ proportion: 0.5 });
  assertEquals([...once(c, Float32Array.of(1, -2, 5, 0, -4, 3))], [0, 0, 4, 0, -4, 4]);
  assertEquals([...once(c, Float32Array.of(2, 2, 2, 2, -0))], [2, 2, 0, 0, 0]);
  assertEquals([...once(c, Float32Array.of(1e38, 3e-45, -2e-45))], [1e38, 0, -2e-45].map(Math.fround));
  assertAlmostEquals(draws(c, X, 1).error, 5);
});

Deno.test("the entropy of positions and signs is paid; the message is pinned", () => {
  const x = gaussian(100_000);
  for (const p of [0.5, 0.1, 0.01]) {
    const bits = 8 * compress(adaptiveQuantization({ proportion: p }), x, key(1)).length / x.length;
    const entropy = -p * Math.log2(p / 2) - (1 - p) * Math.log2(1 - p);
    assert(bits < 1.02 * entropy + 0.003, `${bits} bits at ${p}, entropy ${entropy}`);
  }
  assertEquals(encodeHex(adaptiveQuantization({ proportion: 0.5 }), X), "00004040000080c030d6");
});

Deno.test("a mutant that sends thresholds in place of means is caught", () => {
  const c = adaptiveQuantization({ proportion: 0.5 }), x = gaussian(1000);
  const mutant: Compressor = { ...c, decodeAdd: (m, k, scale, into) => c.decodeAdd(m, k, 0.6 * scale, into) };
  assert(draws(mutant, x, 1).error > 1.2 * exact(0.5)(x));
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => adaptiveQuantization({ proportion: 0 }), RangeError, "proportion is 0");
  assertThrows(() => adaptiveQuantization({ proportion: 1.1 }), RangeError, "proportion is 1.1");
  const c = adaptiveQuantization({ proportion: 0.5 });
  assertThrows(() => c.decodeAdd(new Uint8Array(7), key(1), 1, new Float32Array(4)), RangeError, "7 bytes");
});
