import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { RangeDecoder, RangeEncoder } from "../../../../compressors/coding/range_coder.ts";
import { blockNorms, mantissaBits, spreadOf } from "../../../../compressors/quantizers/spherical/block_norms.ts";
import { fold, key } from "../../../../random.ts";

const message = new Uint8Array(10_000);

Deno.test("the largest norm comes back as it was sent, in full or in few bits, and is not lowered where others follow", () => {
  for (const log of [false, true]) {
    const norms = blockNorms("test", 3, false, log);
    for (const norm of [0, 1e-45, 1e-20, 0.37, 1, 99_999, 2 ** 17, 2 ** 19.9, 1e30, 1e39]) {
      for (const alone of [false, true]) {
        const encoder = new RangeEncoder(message), sent = norms.write(encoder, norm, key(1), alone);
        assertEquals(norms.read(new RangeDecoder(message.subarray(0, encoder.finish()))), sent);
        const step = norm < 2 ** -126 ? 2 ** -149 : norm / 8;
        assert(Math.abs(sent - norm) <= step, `${norm} as ${sent}`);
        assert(alone || sent >= norm * (1 - 2e-6), `${norm} as ${sent}`);
      }
    }
    const encoder = new RangeEncoder(message);
    norms.writeEverything(encoder);
    assertEquals(norms.read(new RangeDecoder(message.subarray(0, encoder.finish()))), undefined);
  }
});

Deno.test("ratios come back within the spread, exact on average where unbiased; tiny ones count as zero", () => {
  for (const unbiased of [false, true]) {
    const mantissa = 2, norms = blockNorms("test", mantissa, unbiased, false), count = 4000;
    for (const ratio of [1, 0.93, 0.5, 0.3001, 1e-20]) {
      const encoder = new RangeEncoder(message);
      norms.reset();
      for (let i = 0; i < count; i++) assert(norms.writeRatio(encoder, ratio, fold(key(2), i), 0));
      assert(!norms.writeRatio(encoder, 2 ** -127, key(2), 0));
      const decoder = new RangeDecoder(message.subarray(0, encoder.finish()));
      norms.reset();
      let mean = 0, squares = 0;
      for (let i = 0; i < count; i++) {
        const off = norms.readRatio(decoder)! / ratio - 1;
        mean += off / count, squares += off * off / count;
      }
      assertEquals(norms.readRatio(decoder), undefined);
      decoder.end();
      assert(squares <= 1.05 * spreadOf(mantissa, unbiased), `${squares} for ${ratio}`);
      // 7 standard errors; a ratio of almost 1 may also become 1 and no more.
      if (unbiased) assertAlmostEquals(mean, 0, 7 * Math.sqrt(squares / count) + 1e-7);
    }
  }
});

Deno.test("bits of mantissa: the fewest that add at most 2 % to ω, or those of the shortest message", () => {
  for (const [alpha, block] of [[0.1, 4], [0.25, 8], [0.5, 12]] as const) {
    const mantissa = mantissaBits(alpha, block, true), omega = alpha / (1 - alpha);
    assert(spreadOf(mantissa, true) * (1 + omega) <= 0.021 * omega, `${mantissa} bits at ${alpha}`);
    assert(spreadOf(mantissa - 1, true) > spreadOf(mantissa, true));
    assert(spreadOf(mantissaBits(alpha, block, false), false) <= alpha / 2);
  }
});
