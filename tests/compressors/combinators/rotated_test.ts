import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  compress,
  type Compressor,
  dithering,
  drive,
  eden,
  identity,
  oneBit,
  rotated,
  scaledSign,
  stochasticLevels,
} from "../../../compressors/mod.ts";
import { hadamard } from "../../../compressors/kernels/hadamard.ts";
import { DISTORTION, LLOYD_MAX } from "../../../compressors/quantizers/quantizer_tables.ts";
import { eachBlock, rotate, rotateBlock, unrotate, unrotateBlock } from "../../../compressors/kernels/rotation.ts";
import { compressorProperties } from "../../../testing/compressor.ts";
import { adversarialKinds } from "../../../testing/vectors.ts";
import { fold, key } from "../../../random.ts";
import { draws, encodeHex, gaussian, once, oneHot, squaredNorm, twoHot, X } from "../draws.ts";

const distance = (a: Float32Array, b: Float32Array) => squaredNorm(a.map((v, i) => v - b[i]!));

Deno.test("hadamard equals its definition, and its inverse, below and above the block length", () => {
  for (const size of [1, 2, 4, 8, 32, 512, 8192, 32768]) {
    const x = gaussian(size + 6), y = x.slice();
    hadamard(y, 3, size);
    for (let i = 0; i < size; i += Math.ceil(size / 50)) {
      let sum = 0;
      for (let j = 0; j < size; j++) {
        let parity = i & j;
        for (let s = 16; s > 0; s >>= 1) parity ^= parity >> s;
        sum += parity & 1 ? -x[3 + j]! : x[3 + j]!;
      }
      assertAlmostEquals(y[3 + i]!, sum, 2e-6 * Math.sqrt(size) * Math.log2(2 * size));
    }
    assertEquals([...y.subarray(0, 3), ...y.subarray(size + 3)], [...x.subarray(0, 3), ...x.subarray(size + 3)]);
    hadamard(y, 3, size);
    assert(distance(y.subarray(3, 3 + size).map((v) => v / size), x.subarray(3, 3 + size)) < 1e-11 * size);
  }
});

Deno.test("rotations keep the norm, are undone, and spread a one-hot vector", () => {
  for (const size of [1, 2, 3, 5, 33, 64, 100, 1000, 20_000]) {
    for (
      const x of [
        gaussian(size),
        oneHot(size),
        Float32Array.from({ length: size }, (_, i) => i + 1 < size ? 0 : 1),
      ]
    ) {
      for (const rounds of [1, 2]) {
        const y = x.slice();
        rotate(y, key(3), rounds);
        assertAlmostEquals(squaredNorm(y) / squaredNorm(x), 1, 1e-5);
        if (squaredNorm(x) === 1) assert(Math.max(...y.map(Math.abs)) < 8 / Math.sqrt(size), `${size}`);
        unrotate(y, key(3), rounds);
        assert(distance(y, x) < 1e-11 * squaredNorm(x));
      }
      eachBlock(size, (from, length, padded) => {
        const y = new Float32Array(padded);
        y.set(x.subarray(from, from + length));
        rotateBlock(y, padded, key(4));
        unrotateBlock(y, padded, key(4));
        assert(distance(y.subarray(0, length), x.subarray(from, from + length)) < 1e-11 * squaredNorm(x));
      });
    }
  }
});

Deno.test("blocks cover the vector in order and pad little", () => {
  for (let size = 1; size < 30_000; size = Math.ceil(size * 1.1)) {
    let at = 0, bits = 0, blocks = 0;
    eachBlock(size, (from, length, padded, index) => {
      assertEquals([from, index], [at, blocks++]);
      assert(length > 0 && length <= padded && padded <= 8192 && (padded <= 32 || Number.isInteger(Math.log2(padded))));
      at += length, bits += padded;
    });
    assertEquals(at, size);
    assert(bits <= 4 / 3 * size, `${size}: ${bits}`);
  }
});

const kinds = adversarialKinds.filter((kind) => !["dynamic", "subnormal", "largest"].includes(kind));

for (
  const [c, options] of [
    // Sums over the vector in float32: relative accuracy 3e-5.
    [rotated(stochasticLevels({ levels: 4 }), { rounds: 1 }), { kinds }],
    [rotated(dithering({ levels: 2, norm: "max" })), { kinds }],
    [rotated(oneBit()), {}],
    [eden({ bits: 1 }), {}],
    [eden({ bits: 2.5 }), {}],
    [eden({ bits: 0.3 }), {}],
    [drive({ biased: true }), {}],
  ] as const
) {
  for (const { name, check } of compressorProperties(c, { ...options, slack: 3e-5, draws: 1000 })) {
    Deno.test(name, check);
  }
}

Deno.test("rotated keeps ω and α, and tightens ω where peaks are the worst case", () => {
  const levels = stochasticLevels({ levels: 16 }), c = rotated(levels, { rounds: 1 });
  assertAlmostEquals(c.omega(1024), (2 * Math.log(2048) + 2) / 225, 1e-12);
  assert(c.omega(1024) < 0.1 && levels.omega(1024) > 2);
  assertEquals(rotated(oneBit()).alpha(100), 0.99);
  assertEquals(rotated(identity()).omega(100), 0);
  // Suresh et al.: 0.031 on gaussians of 1024 at 16 levels, of which ω = 0.077 is twice.
  const x = gaussian(1024);
  assertAlmostEquals(draws(c, x, 100).error / squaredNorm(x), 0.031, 0.006);
  // A one-hot vector has all magnitudes equal after a round on 2ʲ numbers, and is exact.
  assert(draws(c, oneHot(1024), 20).worst < 1e-10);
  // The worst vector without rotation.
  const worst = new Float32Array(1024).fill(1, 0, 1).fill(-1, 1, 2);
  assert(draws(levels, worst, 100).error / 2 > 2 && draws(c, worst, 100).error / 2 < 0.05);
});

Deno.test("EDEN: ⟨C(x), x⟩ = ‖x‖² in every draw", () => {
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

Deno.test("EDEN and DRIVE have the nominal variances on gaussian and adversarial vectors", () => {
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
  const x = gaussian(8192);
  assertAlmostEquals(draws(drive({ biased: true }), x, 10).error / squaredNorm(x), 1 - 2 / Math.PI, 0.01);
  assertAlmostEquals(draws(drive(), x, 10).error / squaredNorm(x), Math.PI / 2 - 1, 0.015);
});

Deno.test("EDEN on sparse vectors has no bias that 3000 draws show; a single Hadamard round has (a mutant)", () => {
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

Deno.test("the Lloyd–Max tables are fixed points: levels are the means of their cells", () => {
  // Cell moments by the midpoint rule on 4e5 points of [0, 9].
  for (const bits of [1, 2, 3, 4, 5, 6]) {
    const levels = LLOYD_MAX[bits]!, mass = levels.map(() => 0), mean = levels.map(() => 0), step = 9 / 4e5;
    let distortion = 0, cell = 0;
    for (let z = step / 2; z < 9; z += step) {
      while (cell + 1 < levels.length && z > (levels[cell]! + levels[cell + 1]!) / 2) cell++;
      const p = 2 * step * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
      mass[cell]! += p, mean[cell]! += p * z, distortion += p * (z - levels[cell]!) ** 2;
    }
    levels.forEach((q, i) => assertAlmostEquals(mean[i]! / mass[i]!, q, 1e-4));
    assertAlmostEquals(distortion, DISTORTION[bits]!, 1e-7);
  }
});

Deno.test("sizes are as documented; messages are pinned", () => {
  const x = gaussian(10_000); // 8192 + 1808, padded to 2048
  assertEquals(compress(eden({ bits: 2 }), x, key(1)).length, 2 * 4 + (8192 + 2048) / 4);
  assertEquals(compress(eden({ bits: 0.1 }), x, key(1)).length, 2 * 4 + Math.ceil(819 / 8) + Math.ceil(205 / 8));
  assertEquals(compress(drive(), new Float32Array(10_000), key(1)).length, 2 * 4);
  assertEquals(encodeHex(eden({ bits: 2 }), X), "09fa594086");
  assertEquals(
    encodeHex(eden({ bits: 1.5 }), gaussian(64).map((v) => Math.round(4 * v))),
    "523f9440b4f9d98d3606a5b539d12d3d",
  );
  assertEquals(encodeHex(drive(), X), "9a67764090");
  assertEquals(encodeHex(rotated(stochasticLevels({ levels: 4 })), Float32Array.of(...X, 5)), "01000068bf0000b43fb480");
});

Deno.test("ranks that shared a rotation would have correlated errors: keys must differ", () => {
  const c = eden({ bits: 1 }), x = gaussian(1000), ranks = 8;
  const mean = (keyOf: (rank: number) => ReturnType<typeof key>) => {
    const sum = new Float32Array(1000);
    for (let r = 0; r < ranks; r++) c.decodeAdd(compress(c, x, keyOf(r)), keyOf(r), 1 / ranks, sum);
    return distance(sum, x) / squaredNorm(x);
  };
  assertAlmostEquals(mean((rank) => fold(key(1), rank)), c.omega(1000) / ranks, 0.15 * c.omega(1000) / ranks);
  assert(mean(() => key(1)) > 4 * c.omega(1000) / ranks);
});

Deno.test("wrong options and foreign messages are refused", () => {
  for (const bits of [0, 6.1, NaN]) assertThrows(() => eden({ bits }), RangeError, `bits is ${bits}`);
  assertThrows(() => rotated(oneBit(), { rounds: 0 }), RangeError, "rounds is 0");
  const message = compress(eden({ bits: 1 }), X, key(1)), into = new Float32Array(4);
  assertThrows(() => eden({ bits: 1 }).decodeAdd(message.slice(0, 4), key(1), 1, into), RangeError, "4 bytes");
  assertThrows(() => eden({ bits: 1 }).decodeAdd(Uint8Array.of(...message, 0), key(1), 1, into), RangeError, "6 bytes");
  const c = rotated(oneBit());
  assertThrows(() => c.decodeAdd(new Uint8Array(0), key(1), 1, into), RangeError, "empty");
  const huge = compress(c, X, key(1)).slice();
  huge[4] = 0x7f;
  assertThrows(() => c.decodeAdd(huge, key(1), 1, into), RangeError, "near 1");
});

Deno.test("drive, biased: α is what Khintchine's inequality leaves after the last signs, whatever came before", () => {
  // With the signs ε of the last round and the data y before it, rotated number j is Σᵢ εᵢ hⱼᵢ yᵢ, |hⱼᵢ| = 1/√d. The error is
  // 1 − ‖r‖₁² / (d ‖r‖²), and E‖r‖₁² ≥ (E‖r‖₁)² ≥ d (min E|Σ εᵢ aᵢ|)² over ‖a‖ = 1. That minimum is 1/√2 (Szarek 1976), of
  // (1, 1, 0, …)/√2, which is found here among all of a grid by enumerating signs; and one round reaches it.
  let least = Infinity;
  for (let code = 1; code < 3 ** 6; code++) {
    const a = Array.from({ length: 6 }, (_, i) => Math.floor(code / 3 ** i) % 3), norm = Math.hypot(...a);
    let mean = 0;
    for (let signs = 0; signs < 64; signs++) {
      mean += Math.abs(a.reduce((sum, value, i) => sum + ((signs >> i) & 1 ? value : -value), 0)) / 64;
    }
    least = Math.min(least, mean / norm);
  }
  assertAlmostEquals(least, Math.SQRT1_2, 1e-12);
  for (const size of [2, 33, 1000]) assert(drive({ biased: true }).alpha(size) >= 1 - least ** 2 - 1e-12);
  const one = rotated(scaledSign(), { rounds: 1 }), x = twoHot(64).map((value) => Math.min(1, value));
  assertAlmostEquals(draws(one, x, 100).error / squaredNorm(x), 1 / 2, 1e-5);
  // Of one number nothing is lost.
  assertEquals(drive({ biased: true }).alpha(1), 0);
});

Deno.test("EDEN with less than a bit: ω holds, and without what the scale's variance adds it would not", () => {
  // 32 of 256 numbers are sent. Per draw the error varies by a fifth, so 4000 draws tell 1 % from nothing.
  const c = eden({ bits: 0.1 }), x = gaussian(256), { error } = draws(c, x, 4000), relative = error / squaredNorm(x);
  const distortion = 1 + (DISTORTION[1]! - 1) * 32 / 256;
  assert(relative > 1.02 * (1 / (1 - distortion) - 1), `the error is ${relative}`);
  assert(relative < 1.02 * c.omega(256), `the error is ${relative}, ω is ${c.omega(256)}`);
});
