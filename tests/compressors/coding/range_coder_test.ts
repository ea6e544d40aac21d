import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { bitModel, bitModels, RangeDecoder, RangeEncoder } from "../../../compressors/coding/range_coder.ts";
import { key, uniform } from "../../../random.ts";

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
