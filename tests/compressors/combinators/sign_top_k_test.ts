import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { describe, signTopK } from "../../../compressors/mod.ts";
import { encodeHex, meanError, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** ‖x‖² − (the sum of the k largest magnitudes)² / k. */
const error = (k: number) => (x: Float32Array) => {
  const kept = [...x].map(Math.abs).sort((a, b) => b - a).slice(0, k);
  const sum = kept.reduce((total, value) => total + value, 0);
  return kept.length === 0 ? 0 : squaredNorm(x) - sum * sum / kept.length;
};

suite(signTopK({ k: 3 }), {
  draws: 1000,
  error: error(3),
  worst: (size) => size > 9 ? ones(size) : ones(size).fill(0, 1),
});
suite(signTopK({ ratio: 0.5 }), { draws: 1000 });

Deno.test("signTopK: the error of (1, −2, 3, −4) is 30 − 49/2 for k = 2", () => {
  assertAlmostEquals(meanError(signTopK({ k: 2 }), X, 1), 30 - 49 / 2, 1e-9);
});

Deno.test("signTopK: its text has its own name; options are topK's", () => {
  assertEquals(describe(signTopK({ k: 2 })), "signTopK({ k: 2 })");
  assertThrows(() => signTopK({ k: 0 }), RangeError, "Cannot make signTopK: k is 0");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(signTopK({ k: 2 }), X), "000000604040");
});
