import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../../../compressors/coding/integer_model.ts";
import { key, normal } from "../../../random.ts";

function coded(values: Int32Array, most: number): Uint8Array {
  const bytes = new Uint8Array(integersByteLength(values.length, most) + 8);
  const end = encodeIntegers(values, most, bytes, 0);
  assert(end <= integersByteLength(values.length, most), `${end} bytes of ${integersByteLength(values.length, most)}`);
  return bytes.slice(0, end);
}

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
