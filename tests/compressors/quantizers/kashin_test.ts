import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, decompress, kashin } from "../../../compressors/mod.ts";
import { adversarialKinds, adversarialVector } from "../../../testing/vectors.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, draws, encodeHex, gaussian, oneHot, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

// Slack: sums in float32.
for (const levels of [2, 5]) suite(kashin({ levels }), { sizes: [0, 1, 2, 3, 9, 61], draws: 1000, slack: 3e-5 });

/** The largest coefficient of a one-block message in units of ‖x‖ / √(number of coefficients). */
function flatness(x: Float32Array, seed: number): number {
  const message = compress(kashin(), x, key(seed)), size = 8 * (message.length - 5);
  const most = new DataView(message.buffer, message.byteOffset).getFloat32(1, true);
  return most * Math.sqrt(size / squaredNorm(x));
}

Deno.test("coefficients are as flat as promised on every draw: at most 2.25, 2.0 where the shortest has 3.9", () => {
  for (
    const kind of adversarialKinds.filter((kind) => !["zeros", "negativeZeros", "subnormal", "largest"].includes(kind))
  ) {
    for (const size of [8, 32, 100, 1000]) {
      for (let seed = 0; seed < 5; seed++) {
        const x = adversarialVector(kind, size, seed);
        if (squaredNorm(x) === 0) continue;
        const most = flatness(x, seed);
        assert(most <= 2.2501, `${kind} of ${size}: ${most}`);
      }
    }
  }
  assert(flatness(gaussian(8192), 1) < 2.02);
});

Deno.test("the error follows from the flatness: (K² − ‖b‖²) / 2 of two levels, exact on one number", () => {
  const x = gaussian(8192), c = kashin(), K = flatness(x, 1);
  const { error } = assertUnbiased(c, x, 30);
  // ‖b‖² is at least ‖x‖², and 1.06 times that where measured.
  assertAlmostEquals(error / squaredNorm(x), (K * K - 1.06) / 2, 0.05);
  assert(error / squaredNorm(x) < c.omega(8192));
  assert(draws(c, Float32Array.of(-3), 20).worst < 1e-10);
  assert(draws(c, oneHot(1024), 20).worst < 1e-10); // all coefficients have one magnitude
});

Deno.test("two codes a number, of ⌈log₂ levels⌉ bits or of digits that share bytes; the message is pinned", () => {
  for (const [levels, bits] of [[2, 2], [3, 3.2], [5, 16 / 3], [6, 16 / 3], [7, 6]] as const) {
    // Scales and the last byte are less than a hundredth of a bit each.
    const found = 8 * compress(kashin({ levels }), gaussian(2 ** 14, 5), key(1)).length / 2 ** 14;
    assert(Math.abs(found - bits) < 0.02, `${levels} levels take ${found} bits a number, stated ${bits}`);
  }
  assertEquals(compress(kashin(), gaussian(8192), key(1)).length, 5 + 2 * 1024);
  assertEquals(compress(kashin({ levels: 4 }), gaussian(8192), key(1)).length, 5 + 4 * 1024);
  assertEquals(compress(kashin(), new Float32Array(8192), key(1)).length, 5);
  assertEquals(encodeHex(kashin(), X), "00f30435409d");
});

Deno.test("a mutant that clips and forgets what it clipped is caught", () => {
  const c = kashin({ levels: 64 }), x = gaussian(64);
  const clip: Compressor = {
    ...c,
    encode: (v, k, m) => c.encode(v.map((t) => Math.max(-1.8, Math.min(1.8, t))), k, m),
  };
  assert(draws(clip, x, 1000).deviation > 20 && draws(c, x, 1000).deviation < 7);
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => kashin({ levels: 1 }), RangeError, "levels is 1");
  const message = compress(kashin(), X, key(1)).slice(), into = new Float32Array(4);
  message[0] = 16;
  assertThrows(() => kashin().decodeAdd(message, key(1), 1, into), RangeError, "number 16");
  assertThrows(() => kashin().decodeAdd(message.subarray(0, 4), key(1), 1, into), RangeError, "4 bytes");
});

Deno.test("other rotations are tried where the first is not flat enough, and ω is what the least flat ones need", () => {
  const c = kashin(), fine = kashin({ levels: 256 });
  let retried = 0, most = 0;
  for (let i = 0; i < 4000; i++) {
    const x = gaussian(16, i), message = compress(c, x, key(i));
    most = Math.max(most, flatness(x, i));
    if (message[0] === 0) continue;
    retried++;
    // With 256 levels little is lost, unless the two ends take another rotation.
    assert(draws(fine, x, 1, i).error < 0.05 * squaredNorm(x));
    const decoded = decompress(fine, compress(fine, x, key(i)), key(i), 16);
    assert(squaredNorm(decoded.map((v, j) => v - x[j]!)) < 0.01 * squaredNorm(x), `seed ${i}`);
  }
  assert(retried > 4, `${retried} rotations were tried again`);
  // Given the rotation the variance of two levels is (K² − ‖b‖²) / 2, and ‖b‖² is at most 1.1 ‖x‖² or so.
  assert(most > 2.2 && c.omega(16) >= (most * most - 1.1) / 2, `K is ${most}, ω is ${c.omega(16)}`);
  assertAlmostEquals(c.omega(16), (2.25 ** 2 - 1) / 2, 1e-12);
});
