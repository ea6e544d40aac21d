import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  bitModel,
  bitModels,
  decodeIntegers,
  encodeIntegers,
  integersByteLength,
  RangeDecoder,
  RangeEncoder,
} from "../../../compressors/coding/range_coder.ts";
import { key, normal, uniform } from "../../../random.ts";

function coded(values: Int32Array, most: number): Uint8Array {
  const bytes = new Uint8Array(integersByteLength(values.length, most) + 8);
  const end = encodeIntegers(values, most, bytes, 0);
  assert(end <= integersByteLength(values.length, most), `${end} bytes of ${integersByteLength(values.length, most)}`);
  return bytes.slice(0, end);
}

Deno.test("decisions and raw bits come back in order, whatever the models", () => {
  const decision = fc.oneof(
    fc.record({ model: fc.nat(3), bit: fc.nat(1) }),
    fc.record({ count: fc.integer({ min: 0, max: 32 }), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
  );
  fc.assert(
    fc.property(fc.array(decision, { maxLength: 400 }), fc.nat(9), (list, at) => {
      const bytes = new Uint8Array(at + 2000),
        start = Int32Array.of(bitModel(0.9, 30), bitModel(0, 254), ...bitModels(2));
      const models = start.slice(), encoder = new RangeEncoder(bytes, at);
      for (const d of list) "bit" in d ? encoder.bit(models, d.model, d.bit) : encoder.raw(d.value, d.count);
      const end = encoder.finish(), decoder = new RangeDecoder(bytes.subarray(0, end), at);
      for (const d of list) {
        if ("bit" in d) assertEquals(decoder.bit(start, d.model), d.bit);
        else assertEquals(decoder.raw(d.count), Number(BigInt.asUintN(d.count, BigInt(d.value))));
      }
      decoder.end();
      assertEquals(start, models);
      assert(bytes.subarray(0, at).every((b) => b === 0), "a carry ran past the start");
    }),
    { numRuns: 300, seed: 1 },
  );
});

Deno.test("a stationary source costs at most 0.003 bits a decision above its entropy", () => {
  const n = 100_000, u = uniform(key(3), new Float32Array(n)), bytes = new Uint8Array(n);
  for (const p of [0.5, 0.8, 0.97]) {
    const encoder = new RangeEncoder(bytes), models = bitModels(1);
    let ones = 0;
    for (let i = 0; i < n; i++) {
      const bit = u[i]! < p ? 0 : 1;
      ones += bit;
      encoder.bit(models, 0, bit);
    }
    const q = ones / n, entropy = -q * Math.log2(q) - (1 - q) * Math.log2(1 - q);
    const excess = 8 * encoder.finish() / n - entropy;
    assert(excess <= 0.003, `${excess} bits above ${entropy} at ${p}`);
  }
});

Deno.test("integers come back, and never cost more than fixed width", () => {
  const small = fc.array(fc.integer({ min: -3, max: 3 })),
    large = fc.array(fc.integer({ min: 1 - 2 ** 30, max: 2 ** 30 - 1 }));
  const zeros = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, -1, 1000), { maxLength: 500 });
  fc.assert(
    fc.property(fc.oneof(small, large, zeros), (list) => {
      const values = Int32Array.from(list), most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      assertEquals(decodeIntegers(coded(values, most), 0, most, new Int32Array(values.length)), values);
    }),
    { numRuns: 500, seed: 2 },
  );
});

Deno.test("rounded gaussians cost at most 0.03 bits above their entropy, runs of zeros far less", () => {
  const n = 100_000, g = normal(key(1), new Float32Array(n));
  for (const deviation of [0.2, 1, 10, 100]) {
    const values = Int32Array.from(g, (x) => Math.round(x * deviation)), counts = new Map<number, number>();
    for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1);
    let entropy = 0;
    for (const count of counts.values()) entropy -= count / n * Math.log2(count / n);
    // The empirical entropy of many distinct values is itself low by their number / 2n nats.
    const excess = 8 * coded(values, 8 * Math.ceil(deviation)).length / n - entropy - counts.size / 2 / n;
    assert(excess <= 0.03, `${excess} bits above ${entropy} at ${deviation}`);
  }
  // Nine tenths are zero, in stretches: 0.1 · H(rounded gaussian) = 0.21 bits instead of 0.68.
  const stretches = Int32Array.from(g, (x, i) => i % 10_000 < 1_000 ? Math.round(x) : 0);
  const bits = 8 * coded(stretches, 7).length / n;
  assert(bits < 0.225, `${bits} bits`);
  assertEquals(coded(new Int32Array(1_000_000), 7).length < 300, true);
});

Deno.test("golden bytes", () => {
  assertEquals(coded(Int32Array.of(0, 0, -1, 0, 5, 0, 0, 0, 0, -2, 1), 7).toHex(), "31fb642a");
});

Deno.test("hostile bytes: a RangeError or integers within the bound", () => {
  const values = Int32Array.from(normal(key(5), new Float32Array(300)), (x) => Math.round(2 * x)),
    message = coded(values, 9);
  const out = new Int32Array(300);
  assertThrows(
    () => decodeIntegers(Uint8Array.of(...message, 1), 0, 9, out),
    RangeError,
    "do not end as an encoder ends them",
  );
  assertThrows(
    () => decodeIntegers(Uint8Array.of(...message, 0), 0, 9, out),
    RangeError,
    "do not end as an encoder ends them",
  );
  let refused = 0, runs = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(message.length - 1), fc.nat(255), (bytes, at, flip) => {
      const flipped = message.slice();
      flipped[at]! ^= flip;
      for (const hostile of [bytes, flipped, message.subarray(0, at)]) {
        runs++;
        try {
          decodeIntegers(hostile, 0, 9, out);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          refused++;
        }
        assert(out.every((v) => Math.abs(v) <= 9));
      }
    }),
    { numRuns: 500, seed: 3 },
  );
  assert(0 < refused && refused < runs);
});
