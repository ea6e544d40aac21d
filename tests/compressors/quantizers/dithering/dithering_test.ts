import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, dithering } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { adversarial, assertUnbiased, draws, encodeHex, gaussian, oneHot, squaredNorm, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

// Slack: rounding up the small numbers of a vector of huge dynamic range is too rare to be seen.
suite(dithering({ levels: 2 }), { slack: 1e-5 });
suite(dithering({ levels: 3, norm: "max", coding: "entropy" }), { slack: 1e-5 });

const within = (actual: number, expected: number, share: number) =>
  assertAlmostEquals(actual, expected, share * Math.abs(expected) + 1e-9);

Deno.test("dithering has the exact variances of the table, whatever the coding", () => {
  // 40 000 draws: standard error under 0.7 %, limit 3 %.
  for (
    const [norm, levels, expected] of [
      ["l2", 1, 24.772256],
      ["l2", 2, 5.726707],
      ["l2", 3, 2.393374],
      ["l2", 4, 1.260869],
      ["max", 1, 10],
      ["max", 2, 2],
      ["max", 3, 1.111111],
      ["max", 4, 0],
    ] as const
  ) {
    for (const coding of ["fixed", "elias", "entropy"] as const) {
      within(assertUnbiased(dithering({ levels, norm, coding }), X, 40_000).error, expected, 0.03);
    }
  }
});

Deno.test("ω bounds the variance of adversarial vectors", () => {
  for (const size of [1, 2, 3, 64, 101]) {
    for (const norm of ["l2", "max"] as const) {
      for (const levels of [1, 3, 16]) {
        const c = dithering({ levels, norm });
        for (const x of adversarial(size)) {
          const { error } = assertUnbiased(c, x, 1000);
          assert(error <= squaredNorm(x) * (c.omega(size) * 1.15 + 1e-12), `${norm} ${levels} ${size}: ${error}`);
        }
      }
    }
  }
});

Deno.test("ω is attained within 5 % by the worst vectors", () => {
  // l2, levels ≤ √d: all equal numbers have relative variance √d / levels − 1.
  for (const [size, levels] of [[64, 2], [100, 5], [400, 1]] as const) {
    const c = dithering({ levels }), x = new Float32Array(size).fill(0.3);
    within(draws(c, x, 4000).error / squaredNorm(x), Math.sqrt(size) / levels - 1, 0.03);
    within(draws(c, x, 4000).error / squaredNorm(x), c.omega(size), 0.05);
  }
  // max: one number 1, the others at (1 / s) / (1 + √(1 + (d − 1) / s²)).
  for (const [size, levels] of [[64, 1], [100, 3], [1000, 7]] as const) {
    const c = dithering({ levels, norm: "max" });
    const x = new Float32Array(size).fill(1 / levels / (1 + Math.sqrt(1 + (size - 1) / levels ** 2)));
    x[3] = 1;
    within(draws(c, x, 4000).error / squaredNorm(x), c.omega(size), 0.03);
  }
});

Deno.test("a one-hot vector is exact, and bits a number are those of 2 · levels + 1 codes", () => {
  for (const norm of ["l2", "max"] as const) {
    assertEquals(draws(dithering({ levels: 5, norm }), oneHot(33), 50).worst, 0);
  }
  for (const [levels, bits] of [[1, 1.6], [2, 8 / 3], [3, 3]] as const) {
    // The norm and the last byte are less than a hundredth of a bit each.
    const found = 8 * compress(dithering({ levels }), gaussian(2 ** 14, 5), key(1)).length / 2 ** 14;
    assert(Math.abs(found - bits) < 0.02, `${levels} levels take ${found} bits a number, stated ${bits}`);
  }
  assertEquals(compress(dithering({ levels: 7 }), gaussian(1000), key(1)).length, 4 + 500); // 15 codes in 4 bits
  assertEquals(compress(dithering({ levels: 8 }), gaussian(1000), key(1)).length, 4 + 625); // 17 codes in 5
  assertEquals(compress(dithering({ levels: 3 }), new Float32Array(1000), key(1)).length, 4);
});

Deno.test("messages are pinned", () => {
  assertEquals(encodeHex(dithering({ levels: 1 }), X), "6f45af4031");
  assertEquals(encodeHex(dithering({ levels: 2, norm: "max" }), X), "000080405200");
  assertEquals(encodeHex(dithering({ levels: 4 }), X), "6f45af404262");
  assertEquals(encodeHex(dithering({ levels: 4, coding: "entropy" }), X), "6f45af403c88");
});

Deno.test("mutants are caught: inverted rounding, the identity, a missing factor", () => {
  const sound = dithering({ levels: 3, norm: "max" });
  const complement: Compressor = {
    ...sound,
    // Rounds up where it should round down: x, moved to the mirror image of its place between two levels.
    encode(x, k, message) {
      const mirrored = x.map((v) => {
        const at = Math.abs(v) / 4 * 3, low = Math.floor(at);
        return Math.sign(v) * (at === low ? at : 2 * low + 1 - at) * 4 / 3;
      });
      return sound.encode(mirrored, k, message);
    },
  };
  assert(draws(complement, X, 10_000).deviation > 30);
  const halved: Compressor = { ...sound, decodeAdd: (m, k, scale, into) => sound.decodeAdd(m, k, scale / 2, into) };
  assert(draws(halved, X, 1000).deviation > 30);
  // What returns its input is unbiased, but its variance is not the exact one.
  assert(draws(dithering({ levels: 65535, norm: "max" }), X, 1000).error < 0.9 * 1.111);
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => dithering({ levels: 0 }), RangeError, "levels is 0");
  assertThrows(() => dithering({ levels: 1.5 }), RangeError, "levels is 1.5");
  assertThrows(() => dithering({ levels: 1, norm: "l3" as "l2" }), TypeError, "norm");
  assertThrows(() => dithering({ levels: 1, coding: "x" as "fixed" }), TypeError, "coding");
  for (const c of [dithering({ levels: 3 }), dithering({ levels: 1 }), dithering({ levels: 3, coding: "elias" })]) {
    const message = compress(c, X, key(1));
    assertThrows(() => c.decodeAdd(message.slice(0, -1), key(1), 1, new Float32Array(4)), RangeError);
    assertThrows(() => c.decodeAdd(Uint8Array.of(...message, 0), key(1), 1, new Float32Array(4)), RangeError);
    assertThrows(() => c.decodeAdd(Uint8Array.of(0, 0, 192, 127, 0, 0), key(1), 1, new Float32Array(4)), RangeError);
  }
  assertThrows(() =>
    dithering({ levels: 1 }).decodeAdd(Uint8Array.of(0, 0, 0, 64, 255), key(1), 1, new Float32Array(4))
  );
});

Deno.test("dithering: ω holds where levels are between √d / 2 and √d", () => {
  // (4, ½, …, ½) with 36 halves has norm 5: at 5 levels each half lies between two levels, and loses ¼ of a squared level.
  // E‖C(x) − x‖² = 36 · ¼ = .36 ‖x‖². √d / levels − 1, right for fewer levels, would be .217.
  const c = dithering({ levels: 5 }), x = new Float32Array(37).fill(0.5);
  x[0] = 4;
  const { error } = assertUnbiased(c, x, 4000);
  // Each draw's error is exactly 9: all halves lose ½.
  assertAlmostEquals(error, 9, 1e-4);
  assert(c.omega(37) * squaredNorm(x) >= 9, `ω is ${c.omega(37)}, and the error 0.36 of the squared norm`);
  assertAlmostEquals(c.omega(37), 37 / 100, 1e-12);
  // Where the two branches meet they agree, and so do their slopes: ω is smooth in the levels.
  for (const d of [16, 100, 400]) {
    const levels = Math.sqrt(d) / 2;
    assertAlmostEquals(dithering({ levels }).omega(d), 1, 1e-12);
    assert(dithering({ levels: levels + 1 }).omega(d) > Math.sqrt(d) / (levels + 1) - 1);
  }
});
