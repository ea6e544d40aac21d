import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  compress,
  contractive,
  decompress,
  eden,
  subtractiveDithering,
  type UnbiasedCompressor,
} from "../../../compressors/mod.ts";
import { fold, type Key, key, uniform } from "../../../random.ts";
import { adversarialVector, compressorProperties } from "../../../testing/mod.ts";
import { gaussian, squaredNorm } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

for (
  const options of [
    { omega: 0.5 },
    { omega: 0.01, states: 1 },
    { omega: 9, states: 4 },
    { omega: 1e-4, states: 64 },
  ] as const
) suite(subtractiveDithering(options), { error: (x) => options.omega * squaredNorm(x) });

Deno.test("ω as declared to 1 % and bits within the stated distance of the limit on a gaussian of 2²⁰", () => {
  const size = 2 ** 20, x = gaussian(size), decoded = new Float32Array(size);
  const norm2 = squaredNorm(x);
  for (const [states, above] of [[1, 0.275], [4, 0.115], [8, 0.095], [64, 0.07]] as const) {
    for (const omega of states === 8 ? [1, 0.5, 0.1, 0.01] : [1, 0.01]) {
      const compressor = subtractiveDithering({ omega, states }), message = compress(compressor, x, key(2));
      decoded.fill(0);
      compressor.decodeAdd(message, key(2), 1, decoded);
      let error = 0;
      for (let i = 0; i < size; i++) error += (decoded[i]! - x[i]!) ** 2;
      assert(Math.abs(error / norm2 / omega - 1) < 0.01, `ω is ${error / norm2}, declared ${omega}`);
      const excess = 8 * message.length / size - 0.5 * Math.log2(1 + 1 / omega);
      assert(excess <= above, `${excess} bits above the limit at ω = ${omega} with ${states} states`);
    }
  }
});

Deno.test("fewer bits than EDEN at its ω, also where numbers are left out", () => {
  const size = 2 ** 16, x = gaussian(size);
  for (const bits of [0.02, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6]) {
    const omega = eden({ bits }).omega(size);
    for (const states of [1, 4, 8, 64] as const) {
      const spent = 8 * compress(subtractiveDithering({ omega, states }), x, key(2)).length / size;
      assert(spent < bits, `${spent} bits at ω = ${omega} with ${states} states, EDEN ${bits}`);
    }
  }
});

Deno.test("sparse vectors take fewer bits with a smaller keep", () => {
  const size = 2 ** 16, kept = uniform(key(9), new Float32Array(size));
  const sparse = gaussian(size, 4).map((z, i) => kept[i]! < 0.01 ? z : 0);
  const bits = [{ keep: 1 }, {}, { keep: 0.3 }].map((option) =>
    8 * compress(subtractiveDithering({ omega: 4, ...option }), sparse, key(1)).length / size
  );
  assertEquals(bits.map((b) => b.toFixed(2)), ["0.23", "0.13", "0.09"]);
});

Deno.test("the law of the error does not depend on the vector", () => {
  // Mean square, fourth moment and lag-1 correlation of the error over many draws, in units of √(ω/d) ‖x‖.
  const size = 16, draws = 4000;
  for (const states of [1, 4, 8, 64] as const) {
    const compressor = subtractiveDithering({ omega: 0.5, states });
    const moments = ["oneHot", "gaussian", "offset", "heavySparse", "dynamic"].map((kind) => {
      const x = adversarialVector(kind, size, 2), unit = Math.sqrt(0.5 / size * squaredNorm(x));
      const sums = [0, 0, 0, 0];
      for (let draw = 0; draw < draws; draw++) {
        const y = decompress(compressor, compress(compressor, x, key(draw)), key(draw), size);
        for (let i = 0; i < size; i++) {
          const e = (y[i]! - x[i]!) / unit, before = i > 0 ? (y[i - 1]! - x[i - 1]!) / unit : 0;
          sums[0]! += e, sums[1]! += e * e, sums[2]! += e ** 4, sums[3]! += e * before;
        }
      }
      return sums.map((sum) => sum / draws / size);
    });
    for (const [mean, square, fourth, lag] of moments) {
      // Deviations: 0.004, 0.004 (0.8 of a square), 0.02, 0.004.
      assert(Math.abs(mean!) < 0.02, `mean ${mean}`);
      assert(Math.abs(square! - 1) < 0.02, `mean square ${square}`);
      assert(Math.abs(fourth! - moments[0]![2]!) < 0.12, `fourth moment ${fourth}, on one-hot ${moments[0]![2]}`);
      assert(Math.abs(lag! - moments[0]![3]!) < 0.03, `lag ${lag}, on one-hot ${moments[0]![3]}`);
    }
  }
});

Deno.test("made contractive it is as near to ½ log₂(1/α)", () => {
  const size = 2 ** 18, x = gaussian(size), norm2 = squaredNorm(x);
  for (const omega of [1, 0.1]) {
    const compressor = contractive(subtractiveDithering({ omega })), message = compress(compressor, x, key(2));
    const y = decompress(compressor, message, key(2), size), alpha = compressor.alpha(size);
    const error = x.reduce((sum, v, i) => sum + (y[i]! - v) ** 2, 0) / norm2;
    assert(Math.abs(error / alpha - 1) < 0.01, `error ${error}, declared ${alpha}`);
    const excess = 8 * message.length / size - 0.5 * Math.log2(1 / alpha);
    assert(excess <= 0.095, `${excess} bits above the limit at α = ${alpha}`);
  }
});

Deno.test("mutants are caught by the suite", () => {
  const right = subtractiveDithering({ omega: 0.5, states: 4 });
  const signs = (k: Key) => (uniform(fold(k, 9), new Float32Array(1))[0]! < 0.5 ? -1 : 1);
  const mutants: Record<string, [string, UnbiasedCompressor]> = {
    "the same dither on every rank": ["uncorrelated", {
      ...right,
      encode: (vector, _key, message) => right.encode(vector, [0, 1], message),
      decodeAdd: (message, _key, scale, into) => right.decodeAdd(message, [0, 1], scale, into),
    }],
    "a sign that is not undone": ["unbiased", {
      ...right,
      decodeAdd: (message, key, scale, into) => right.decodeAdd(message, key, signs(key) * scale, into),
    }],
    "a dither that is not subtracted": ["variance", {
      ...right,
      decodeAdd(message, k, scale, into) {
        right.decodeAdd(message, k, scale, into);
        const u = uniform(fold(k, 9), new Float32Array(into.length)),
          norm = new DataView(message.slice(0, 4).buffer)
            .getFloat32(0, true);
        for (let i = 0; i < into.length; i++) into[i]! += scale * norm * (u[i]! - 0.5) / Math.sqrt(into.length);
      },
    }],
    "ω declared a tenth too low": ["variance", { ...right, omega: () => 0.45 }],
  };
  for (const [mutant, [word, compressor]] of Object.entries(mutants)) {
    const checks = compressorProperties(compressor, { kinds: ["gaussian", "allEqual"], sizes: [0, 8, 61] });
    const caught = checks.filter(({ name, check }) => {
      if (!name.includes(word)) return false;
      try {
        check();
        return false;
      } catch {
        return true;
      }
    });
    assert(caught.length > 0, `${mutant} passed`);
  }
});

Deno.test("golden bytes", () => {
  const x = Float32Array.of(1, -2, 3, -4),
    hex = (c: ReturnType<typeof subtractiveDithering>) => compress(c, x, key(7)).toHex();
  assertEquals(hex(subtractiveDithering({ omega: 0.5 })), "6f45af404a");
  assertEquals(hex(subtractiveDithering({ omega: 0.01, states: 1 })), "6f45af404563");
  assertEquals(hex(subtractiveDithering({ omega: 0.001, states: 256 })), "6f45af407b9797e8");
  assertEquals(hex(subtractiveDithering({ omega: 4, states: 4 })), "bd1b8f401c");
  const long = compress(subtractiveDithering({ omega: 0.1 }), gaussian(40_000, 3), key(7));
  let digest = 0;
  for (const byte of long) digest = (Math.imul(digest, 31) + byte) | 0;
  assertEquals([long.length, digest], [9067, -272888545]);
});

Deno.test("a wrong final state is refused, and so is a longer message", () => {
  const compressor = subtractiveDithering({ omega: 0.5, states: 64 }), size = 500;
  const message = compress(compressor, gaussian(size, 3), key(7));
  const decode = (bytes: Uint8Array, k = key(7)) => compressor.decodeAdd(bytes, k, 1, new Float32Array(size));
  decode(message);
  assertThrows(() => decode(Uint8Array.of(...message, 1, 2)), RangeError, "do not end as an encoder ends them");
  let refused = 0;
  for (let i = 0; i < 200; i++) {
    const flipped = message.slice();
    flipped[5 + i % (message.length - 5)]! ^= 1 << i % 8;
    try {
      decode(flipped);
    } catch (error) {
      assert(error instanceof RangeError);
      refused++;
    }
  }
  assert(refused > 180, `${refused} of 200 damaged messages were refused`);
  assertThrows(() => decode(message, key(8)), RangeError);
});

Deno.test("options out of range are refused by name", () => {
  for (const omega of [0, -1, NaN, Infinity, 1e-9, 1e7]) {
    assertThrows(() => subtractiveDithering({ omega }), RangeError, "omega is");
  }
  assertThrows(
    () => subtractiveDithering({ omega: 1, states: 2 as 1 }),
    RangeError,
    "states is 2, expected one of 1, 4, 8",
  );
  for (const keep of [0.5, 0, 1.1, NaN]) {
    assertThrows(() => subtractiveDithering({ omega: 1, keep }), RangeError, "keep is");
  }
});
