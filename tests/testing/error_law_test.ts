import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { identity, randK, topK } from "../../compressors/mod.ts";
import { key } from "../../random.ts";
import { law, Sample } from "../../testing/error_law.ts";

Deno.test("law: of an operator without an error, of one that always errs alike, and of a random one", () => {
  const x = Float32Array.of(1, 1, 1, 1), all = law(identity(), x, 10, key(1)), top = law(topK({ k: 1 }), x, 10, key(1));
  assertEquals([all.constant, all.error, all.errorMargin, all.worst], [true, 0, 0, 0]);
  assertEquals([top.constant, top.error, top.worst, top.bias[0]!.deviation], [true, .75, .75, -.75]);
  // The error is ‖x‖² in every draw, and along x it is 0 in every draw, for all numbers are equal.
  const half = law(randK({ k: 2 }), x, 4000, key(1)), [alongX, ...others] = half.bias;
  assertEquals([half.constant, half.error, alongX!.direction, alongX!.deviation], [false, 1, "x", 0]);
  for (const { deviation, margin } of others) assert(Math.abs(deviation) < margin && margin < .3);
  assert(Math.abs(half.correlation) < half.correlationMargin && half.correlationMargin < .5);
});

Deno.test("Sample: mean, range, and a margin by Bernstein's bound", () => {
  const sample = new Sample();
  for (let i = 0; i < 1000; i++) sample.add(i % 2);
  assertEquals([sample.count, sample.smallest, sample.largest], [1000, 0, 1]);
  assertAlmostEquals(sample.mean, .5, 1e-12);
  assertAlmostEquals(sample.margin(), Math.sqrt(2 * 30 * (250 / 999) / 1000) + 2 * 30 * .5 / 3000, 1e-9);
  assert(sample.margin(1) > sample.margin() && sample.margin(0, 9) > sample.margin());
  assertEquals(new Sample().margin(), 0);
});
