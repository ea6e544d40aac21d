import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  compress,
  contractive,
  decompress,
  eden,
  subtractiveDithering,
  type UnbiasedCompressor,
} from "../../../compressors/mod.ts";
import { RangeDecoder, RangeEncoder } from "../../../compressors/coding/entropy.ts";
import { DitherCoder, ditherModel, drawDither, UNIT } from "../../../compressors/coding/dither_coder.ts";
import {
  BLOCK,
  nearestPath,
  PathMemory,
  squaredError,
  trellis,
  type TrellisStates,
  trellisStates,
} from "../../../compressors/coding/trellis.ts";
import { fold, type Key, key, normal, uniform } from "../../../random.ts";
import { adversarialVector, compressorProperties } from "../../../testing/mod.ts";

const all = trellisStates as TrellisStates[];

for (
  const options of [{ omega: 0.5 }, { omega: 0.01, states: 1 }, { omega: 9, states: 4 }, {
    omega: 1e-4,
    states: 64,
  }] as const
) {
  const { omega } = options, error = (x: Float32Array) => omega * x.reduce((sum, v) => sum + v * v, 0);
  for (const { name, check } of compressorProperties(subtractiveDithering(options), { error })) Deno.test(name, check);
}

Deno.test("subtractiveDithering: ω as declared to 1 % and bits within the stated distance of the limit on a gaussian of 2²⁰", () => {
  const size = 2 ** 20, x = normal(key(1), new Float32Array(size)), decoded = new Float32Array(size);
  const norm2 = x.reduce((sum, v) => sum + v * v, 0);
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

Deno.test("subtractiveDithering: fewer bits than EDEN at its ω, also where numbers are left out", () => {
  const size = 2 ** 16, x = normal(key(1), new Float32Array(size));
  for (const bits of [0.02, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6]) {
    const omega = eden({ bits }).omega(size);
    for (const states of [1, 4, 8, 64] as const) {
      const spent = 8 * compress(subtractiveDithering({ omega, states }), x, key(2)).length / size;
      assert(spent < bits, `${spent} bits at ω = ${omega} with ${states} states, EDEN ${bits}`);
    }
  }
});

Deno.test("trellis: every state has two ways in and two out, and the tables are those of the codes", () => {
  for (const states of all.filter((states) => states > 1)) {
    const { bits, next, before } = trellis(states);
    assertEquals(2 ** bits, states);
    for (let s = 0; s < states; s++) {
      for (const z1 of [0, 1]) {
        const t = next[2 * s + z1]!;
        assertEquals(before[2 * t + z1], s);
        assertEquals(t & 1, s >> (bits - 1));
      }
    }
  }
  // 4 states by hand: s' = (s2, s1 ^ h0₁ s2 ^ h1₁ z1) with h0 = 5, h1 = 2.
  assertEquals([...trellis(4).next], [0, 2, 2, 0, 1, 3, 3, 1]);
});

Deno.test("nearestPath is the nearest allowed path", () => {
  // By exhaustion over all 2^8 choices of ⌊z/2⌋ mod 2; each then takes the nearest integer of its class.
  const count = 8, integers = new Int32Array(count);
  for (const states of all.filter((states) => states > 1 && states <= 64)) {
    const code = trellis(states), memory = new PathMemory(code);
    for (let run = 0; run < 20; run++) {
      const values = Float64Array.from(normal(fold(key(states), run), new Float32Array(count)), (v) => 5 * v);
      const state = run % states, end = nearestPath(code, state, values, count, integers, memory);
      let best = Infinity;
      for (let choice = 0; choice < 2 ** count; choice++) {
        let s = state, cost = 0;
        for (let i = 0; i < count; i++) {
          const z1 = (choice >> i) & 1, z = 2 * z1 + (s >> (code.bits - 1));
          cost += (values[i]! - z - 4 * Math.round((values[i]! - z) / 4)) ** 2;
          s = code.next[2 * s + z1]!;
        }
        best = Math.min(best, cost);
      }
      let s = state, cost = 0;
      for (let i = 0; i < count; i++) {
        assertEquals(integers[i]! & 1, s >> (code.bits - 1), "an integer that the state does not allow");
        cost += (values[i]! - integers[i]!) ** 2;
        s = code.next[2 * s + ((integers[i]! >> 1) & 1)]!;
      }
      assertEquals(s, end);
      assert(Math.abs(cost - best) < 1e-9, `${cost}, nearest ${best}`);
    }
  }
});

Deno.test("trellis: the mean square error of every length is the calibrated one to 1 %", () => {
  // Relative deviation of a number's square 0.9: 9e-4 (long) and 3e-3 (short) of the mean. 1 % is 11 and 3.3 deviations;
  // the seed is fixed.
  for (const states of all) {
    const code = trellis(states),
      memory = new PathMemory(code),
      values = new Float64Array(BLOCK),
      z = new Int32Array(BLOCK);
    const measure = (count: number, runs: number) => {
      let sum = 0;
      for (let run = 0; run < runs; run++) {
        const u = uniform(fold(key(count), run), new Float32Array(count));
        for (let i = 0; i < count; i++) values[i] = 4 * u[i]!;
        nearestPath(code, 0, values, count, z, memory);
        for (let i = 0; i < count; i++) sum += (values[i]! - z[i]!) ** 2;
      }
      return sum / runs / squaredError(code, count);
    };
    const scale = states > 64 ? 4 : 1;
    for (const count of [1, 2, 3, 7, 14, 40]) {
      const ratio = measure(count, Math.ceil(1e5 / count / scale));
      assert(Math.abs(ratio - 1) < 0.01 * Math.sqrt(scale), `${states} states, ${count} numbers: ${ratio}`);
    }
    const ratio = measure(BLOCK, 64 / scale);
    assert(Math.abs(ratio - 1) < 0.005, `${states} states, ${BLOCK} numbers: ${ratio}`);
  }
});

Deno.test("subtractiveDithering: the law of the error does not depend on the vector", () => {
  // Mean square, fourth moment and lag-1 correlation of the error over many draws, in units of √(ω/d) ‖x‖.
  const size = 16, draws = 4000;
  for (const states of [1, 4, 8, 64] as const) {
    const compressor = subtractiveDithering({ omega: 0.5, states });
    const moments = ["oneHot", "gaussian", "offset", "heavySparse", "dynamic"].map((kind) => {
      const x = adversarialVector(kind, size, 2), unit = Math.sqrt(0.5 / size * x.reduce((sum, v) => sum + v * v, 0));
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

Deno.test("subtractiveDithering: made contractive it is as near to ½ log₂(1/α)", () => {
  const size = 2 ** 18, x = normal(key(1), new Float32Array(size)), norm2 = x.reduce((sum, v) => sum + v * v, 0);
  for (const omega of [1, 0.1]) {
    const compressor = contractive(subtractiveDithering({ omega })), message = compress(compressor, x, key(2));
    const y = decompress(compressor, message, key(2), size), alpha = compressor.alpha(size);
    const error = x.reduce((sum, v, i) => sum + (y[i]! - v) ** 2, 0) / norm2;
    assert(Math.abs(error / alpha - 1) < 0.01, `error ${error}, declared ${alpha}`);
    const excess = 8 * message.length / size - 0.5 * Math.log2(1 / alpha);
    assert(excess <= 0.095, `${excess} bits above the limit at α = ${alpha}`);
  }
});

Deno.test("subtractiveDithering: mutants are caught by the suite", () => {
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

Deno.test("subtractiveDithering: golden bytes", () => {
  const x = Float32Array.of(1, -2, 3, -4),
    hex = (c: ReturnType<typeof subtractiveDithering>) => compress(c, x, key(7)).toHex();
  assertEquals(hex(subtractiveDithering({ omega: 0.5 })), "6f45af404a");
  assertEquals(hex(subtractiveDithering({ omega: 0.01, states: 1 })), "6f45af404563");
  assertEquals(hex(subtractiveDithering({ omega: 0.001, states: 256 })), "6f45af407b9797e8");
  assertEquals(hex(subtractiveDithering({ omega: 4, states: 4 })), "bd1b8f401c");
  const long = compress(subtractiveDithering({ omega: 0.1 }), normal(key(3), new Float32Array(40_000)), key(7));
  let digest = 0;
  for (const byte of long) digest = (Math.imul(digest, 31) + byte) | 0;
  assertEquals([long.length, digest], [9067, -272888545]);
});

Deno.test("subtractiveDithering: a wrong final state is refused, and so is a longer message", () => {
  const compressor = subtractiveDithering({ omega: 0.5, states: 64 }), size = 500;
  const message = compress(compressor, normal(key(3), new Float32Array(size)), key(7));
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

Deno.test("subtractiveDithering: integers survive coding without models, and far outliers with them", () => {
  const size = 3000, draws = new Uint16Array(size + 1), words = new Uint32Array(size);
  drawDither(key(1), 0, draws, size, words);
  for (const states of [1, 8] as const) {
    for (const omega of [2, 0.5, 0.01, 1e-6]) {
      const code = trellis(states), coder = new DitherCoder(code, ditherModel(code, omega));
      const values = Float64Array.from(
        normal(key(2), new Float32Array(size)),
        (g, i) => (draws[i]! & 0x7fff) / UNIT + g * (i % 500 === 7 ? 1e5 : i > 2000 ? 40 : 0.1),
      );
      const integers = new Int32Array(size), out = new Float64Array(size);
      const end = nearestPath(code, 0, values, size, integers, new PathMemory(code));
      for (const raw of [false, true]) {
        const bytes = new Uint8Array(20 * size), encoder = new RangeEncoder(bytes);
        coder.reset(raw, 1e6);
        coder.encode(encoder, draws, integers, size);
        assertEquals(coder.state, end);
        coder.reset(raw, 1e6);
        coder.decode(new RangeDecoder(bytes.subarray(0, encoder.finish())), draws, 0, out, size);
        for (let i = 0; i < size; i++) assertEquals(out[i]! + (draws[i]! & 0x7fff) / UNIT, integers[i]);
        coder.reset(raw, 100);
        assertThrows(() => coder.decode(new RangeDecoder(bytes), draws, 0, out, size), RangeError);
      }
    }
  }
});

Deno.test("subtractiveDithering: options out of range are refused by name", () => {
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
