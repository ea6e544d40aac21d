import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { bits, choose, fold, key, normal, threefry, uniform } from "../random.ts";

Deno.test("threefry reproduces the published known answers (Random123, threefry2x32 20)", () => {
  const answers = [
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ];
  for (const [key0, key1, a, b, ...expected] of answers) {
    const out = new Uint32Array(2);
    threefry(key0!, key1!, a!, b!, out, 0);
    assertEquals([...out], expected);
  }
});

Deno.test("a stream may be made in parts", () => {
  const k = key(3), whole = bits(k, new Uint32Array(101)), gauss = normal(k, new Float32Array(101));
  for (const from of [0, 2, 64, 100]) {
    assertEquals(bits(k, new Uint32Array(101 - from), from), whole.subarray(from));
    assertEquals(normal(k, new Float32Array(101 - from), from), gauss.subarray(from));
  }
  assertThrows(() => bits(k, new Uint32Array(2), 1), RangeError, "Cannot draw from position 1");
});

Deno.test("seeds and folds give different keys, and bad seeds are refused", () => {
  const keys = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    for (const k of [key(seed), key(seed + 2 ** 32), ...[0, 1, 2, -1].map((data) => fold(key(seed), data))]) {
      keys.add(k.join());
    }
  }
  assertEquals(keys.size, 300);
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) assertThrows(() => key(seed), RangeError, `seed is ${seed}`);
});

Deno.test("a folded key depends on both words of its key and is none of the words that the key draws", () => {
  assertNotEquals(fold([0, 7], 3), fold([1, 7], 3));
  assertNotEquals(fold([7, 0], 3), fold([7, 1], 3));
  const drawn = bits(key(5), new Uint32Array(200));
  const folded = new Set<string>();
  for (const high of [0, 1, 2, 3, 2 ** 21 - 1]) {
    for (let low = 0; low < 100; low++) {
      const [first, second] = fold(key(5), high * 2 ** 32 + low);
      folded.add(`${first} ${second}`);
      assert(!drawn.includes(first >>> 0) && !drawn.includes(second >>> 0), `fold ${low} + 2³² · ${high}`);
    }
  }
  assertEquals(folded.size, 500);
});

Deno.test("a shorter stream is the beginning of a longer one, for odd lengths too", () => {
  const words = bits(key(4), new Uint32Array(64)), draws = uniform(key(4), new Float32Array(64));
  for (let length = 0; length < 64; length++) {
    assertEquals(bits(key(4), new Uint32Array(length)), words.subarray(0, length));
    assertEquals(uniform(key(4), new Float32Array(length)), draws.subarray(0, length));
  }
});

Deno.test("uniform numbers are the upper 24 bits of the words, so that 1 is impossible", () => {
  // Division by 2³² would round words from 2³² − 128 on to 1: one draw in 3e7, too rare to be met here.
  const words = bits(key(6), new Uint32Array(1000)), draws = uniform(key(6), new Float32Array(1000));
  words.forEach((word, i) => assertEquals(draws[i]! * 2 ** 24, Math.floor(word / 256)));
});

Deno.test("uniform and normal have the moments of their laws", () => {
  // 2^18 draws; the limits are 6 standard errors: a false alarm once in 5e8 per figure for a random key, never for this one.
  const n = 2 ** 18, mean = (x: Float32Array, f: (v: number) => number) => x.reduce((sum, v) => sum + f(v), 0) / n;
  const u = uniform(key(1), new Float32Array(n)), z = normal(key(2), new Float32Array(n)), limit = 6 / Math.sqrt(n);
  assert(u.every((v) => 0 <= v && v < 1));
  assert(Math.abs(mean(u, (v) => v) - 1 / 2) < limit * Math.sqrt(1 / 12));
  assert(Math.abs(mean(u, (v) => (v - 0.5) ** 2) - 1 / 12) < limit * Math.sqrt(1 / 180));
  assert(Math.abs(mean(z, (v) => v)) < limit);
  assert(Math.abs(mean(z, (v) => v * v) - 1) < limit * Math.sqrt(2));
  assert(Math.abs(mean(z, (v) => v ** 4) - 3) < limit * Math.sqrt(96));
  assert(Math.abs(mean(z, (v) => Number(v < -1)) - 0.15865525393145707) < limit / 2);
  assert(Math.abs(z.reduce((sum, v, i) => sum + (i % 2 ? v * z[i - 1]! : 0), 0) / (n / 2)) < limit * Math.SQRT2);
});

Deno.test("normal equals Box–Muller with the engine's own functions to float32", () => {
  const words = bits(key(9), new Uint32Array(20_000)), z = normal(key(9), new Float32Array(20_000));
  let otherwise = 0;
  for (let i = 0; i < words.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((words[i]! + 0.5) / 2 ** 32));
    const angle = 2 * Math.PI * (words[i + 1]! / 2 ** 32);
    assert(Math.abs(z[i]! - radius * Math.cos(angle)) < 1e-6, `cosine of draw ${i}`);
    assert(Math.abs(z[i + 1]! - radius * Math.sin(angle)) < 1e-6, `sine of draw ${i}`);
    for (const [j, exact] of [Math.cos, Math.sin].entries()) {
      if (z[i + j] !== Math.fround(radius * exact(angle))) otherwise++;
    }
  }
  // Errors of 1e-15 change the rounding to float32 (spacing 6e-8) of some 1e-3 in 20 000 draws.
  assert(otherwise <= 2, `${otherwise} draws are rounded otherwise`);
});

Deno.test("choose gives distinct ascending indices", () => {
  fc.assert(fc.property(fc.nat(2 ** 31), fc.nat(300), fc.nat(300), (seed, a, b) => {
    const count = Math.min(a, b), size = Math.max(a, b), chosen = choose(key(seed), count, size);
    assertEquals(chosen.length, count);
    chosen.forEach((index, i) => assert(index < size && (i === 0 || chosen[i - 1]! < index)));
  }));
  // The bits that the last word of the bitmap has beyond the size are no indices.
  assertEquals([...choose(key(1), 6, 7, new Uint32Array(9).fill(99))].slice(6), [99, 99, 99]);
  assertThrows(() => choose(key(0), 3, 2), RangeError, "Cannot choose 3 of 2");
});

Deno.test("choose takes every subset equally often", () => {
  // 20 subsets of 3 of 6, 20 000 keys: chi-squared with 19 degrees of freedom exceeds 90 with probability 3e-11.
  for (const [count, size] of [[3, 6], [4, 6]] as const) {
    const seen = new Map<string, number>(), runs = 20_000;
    for (let seed = 0; seed < runs; seed++) {
      const set = choose(key(seed), count, size).join();
      seen.set(set, (seen.get(set) ?? 0) + 1);
    }
    const subsets = count === 3 ? 20 : 15, expected = runs / subsets;
    assertEquals(seen.size, subsets);
    assert([...seen.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) < 90);
  }
});
