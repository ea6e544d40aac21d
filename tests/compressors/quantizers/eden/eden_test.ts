import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, eden } from "../../../../compressors/mod.ts";
import { DISTORTION } from "../../../../compressors/quantizers/eden/lloyd_max.ts";
import { eachBlock, rotate, unrotate } from "../../../../compressors/kernels/rotation.ts";
import { fold, key } from "../../../../random.ts";
import {
  draws,
  encodeHex,
  gaussian,
  once,
  oneHot,
  squaredDistance,
  squaredNorm,
  twoHot,
  X,
} from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

// Sums over the vector in float32: relative accuracy 3e-5.
for (const bits of [1, 2.5, 0.3]) suite(eden({ bits }), { slack: 3e-5, draws: 1000 });

Deno.test("eden: ⟨C(x), x⟩ = ‖x‖² in every draw", () => {
  for (const bits of [0.2, 1, 1.5, 3]) {
    for (const size of [1, 5, 32, 70, 1024, 10_000]) {
      for (const x of [gaussian(size), twoHot(size)]) {
        // The blocks' own products.
        const y = once(eden({ bits }), x, size);
        eachBlock(size, (from, length) => {
          const part = x.subarray(from, from + length);
          const product = part.reduce((sum, v, i) => sum + v * y[from + i]!, 0);
          assertAlmostEquals(product / (squaredNorm(part) || 1), squaredNorm(part) === 0 ? 0 : 1, 1e-4);
        });
      }
    }
  }
});

Deno.test("eden has the nominal variances on gaussian and adversarial vectors", () => {
  for (
    const [bits, omega] of [[1, 0.5708], [2, 0.1331], [3, 0.03578], [4, 0.00959], [0.5, 2.1416], [2.5, 0.0823]] as const
  ) {
    const c = eden({ bits });
    assertAlmostEquals(c.omega(8192), omega, 0.01 * omega);
    // A one-hot vector, exact after a single round, is like any other after several.
    for (const x of [gaussian(8192), twoHot(8192), oneHot(8192)]) {
      // The variance of the mean of 20 draws of 8192 numbers is below 1 % of it; below one bit also the norm varies.
      assertAlmostEquals(draws(c, x, 20).error / squaredNorm(x), omega, (bits < 1 ? 0.05 : 0.03) * omega);
    }
  }
});

Deno.test("eden on sparse vectors has no bias that 3000 draws show; a single Hadamard round has (a mutant)", () => {
  const size = 1024, x = twoHot(size), count = 3000, c = eden({ bits: 1 });
  const { error, biasSquared } = draws(c, x, count);
  // The mean of noise of variance ω over R draws has squared norm ω/R, up to a share √(2 / d).
  const noise = error / count, spread = noise * Math.sqrt(2 / size);
  assert(Math.abs(biasSquared - noise) < 7 * spread, `bias² ${biasSquared}, noise ${noise} ± ${spread}`);
  // One round, otherwise the same.
  const single: Compressor = {
    ...c,
    maxByteLength: (n) => 4 * n,
    encode: (v, _k, message) => (message.set(new Uint8Array(v.slice().buffer)), 4 * v.length),
    decodeAdd(message, k, scale, into) {
      const v = new Float32Array(message.slice().buffer), norm2 = squaredNorm(v);
      rotate(v, k, 1);
      const factor = norm2 / v.reduce((sum, r) => sum + Math.abs(r), 0);
      for (let i = 0; i < v.length; i++) v[i] = v[i]! < 0 ? -factor : factor;
      unrotate(v, k, 1);
      v.forEach((r, i) => into[i]! += scale * r);
    },
  };
  assertAlmostEquals(draws(single, x, 300).biasSquared / squaredNorm(x), 0.111, 0.02);
});

Deno.test("eden with less than a bit: ω holds, and without what the scale's variance adds it would not", () => {
  // 32 of 256 numbers are sent. Per draw the error varies by a fifth, so 4000 draws tell 1 % from nothing.
  const c = eden({ bits: 0.1 }), x = gaussian(256), { error } = draws(c, x, 4000), relative = error / squaredNorm(x);
  const distortion = 1 + (DISTORTION[1]! - 1) * 32 / 256;
  assert(relative > 1.02 * (1 / (1 - distortion) - 1), `the error is ${relative}`);
  assert(relative < 1.02 * c.omega(256), `the error is ${relative}, ω is ${c.omega(256)}`);
});

Deno.test("ranks that shared a rotation would have correlated errors: keys must differ", () => {
  const c = eden({ bits: 1 }), x = gaussian(1000), ranks = 8;
  const mean = (keyOf: (rank: number) => ReturnType<typeof key>) => {
    const sum = new Float32Array(1000);
    for (let r = 0; r < ranks; r++) c.decodeAdd(compress(c, x, keyOf(r)), keyOf(r), 1 / ranks, sum);
    return squaredDistance(sum, x) / squaredNorm(x);
  };
  assertAlmostEquals(mean((rank) => fold(key(1), rank)), c.omega(1000) / ranks, 0.15 * c.omega(1000) / ranks);
  assert(mean(() => key(1)) > 4 * c.omega(1000) / ranks);
});

Deno.test("sizes are as documented; messages are pinned", () => {
  const x = gaussian(10_000); // 8192 + 1808, padded to 2048
  assertEquals(compress(eden({ bits: 2 }), x, key(1)).length, 2 * 4 + (8192 + 2048) / 4);
  assertEquals(compress(eden({ bits: 0.1 }), x, key(1)).length, 2 * 4 + Math.ceil(819 / 8) + Math.ceil(205 / 8));
  assertEquals(encodeHex(eden({ bits: 2 }), X), "09fa594086");
  assertEquals(
    encodeHex(eden({ bits: 1.5 }), gaussian(64).map((v) => Math.round(4 * v))),
    "523f9440b4f9d98d3606a5b539d12d3d",
  );
});

Deno.test("wrong options and foreign messages are refused", () => {
  for (const bits of [0, 6.1, NaN]) assertThrows(() => eden({ bits }), RangeError, `bits is ${bits}`);
  const message = compress(eden({ bits: 1 }), X, key(1)), into = new Float32Array(4);
  assertThrows(() => eden({ bits: 1 }).decodeAdd(message.slice(0, 4), key(1), 1, into), RangeError, "4 bytes");
  assertThrows(() => eden({ bits: 1 }).decodeAdd(Uint8Array.of(...message, 0), key(1), 1, into), RangeError, "6 bytes");
});
