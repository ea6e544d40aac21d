/** Each check of the error by itself: a compressor with one fault, and what the suite says of it. @module */

import { assertEquals } from "@std/assert/mod.js";
import { bernoulli, type Compressor, randK, topK } from "../../compressors/mod.ts";
import { complaint, decodedAs, half, testFaults } from "./compressor_faults.ts";

const unbiased = "is unbiased", eight = { sizes: [8], kinds: ["gaussian"] };

testFaults([
  ["has less error than its formula", half, "the mean squared error is the exact", /by formula 1.5/, {
    ...eight,
    error: (x) => 1.5 * x.reduce((sum, value) => sum + value * value, 0),
  }],
  ["has more error than its formula", half, "the mean squared error is the exact", /by formula 0.5/, {
    ...eight,
    error: (x) => .5 * x.reduce((sum, value) => sum + value * value, 0),
  }],
  ["declares more than its error", { ...half, omega: () => 2 } as Compressor, "the declared constant", /declared 2/, {
    ...eight,
    worst: () => new Float32Array(8).fill(1),
  }],
  ["has ω NaN", { ...half, omega: () => NaN } as Compressor, "ω is a number", /omega\(0\) is NaN/],
  ["loses a fifth", decodedAs((value) => .8 * value), unbiased, /along x on gaussian of 8/, eight],
  ["adds a constant", decodedAs((value) => value + .2), unbiased, /along \(1, …, 1\) on alternating of 8/, {
    ...eight,
    kinds: ["alternating"],
  }],
  [
    "loses the last number",
    decodedAs((value, i) => i < 60 ? value : 0),
    unbiased,
    /along coordinate 60 on alternating/,
    {
      ...eight,
      sizes: [61],
      kinds: ["alternating"],
    },
  ],
  ["has α = 1", { ...topK({ k: 1 }), alpha: () => 1 } as Compressor, "0 ≤ α < 1", /alpha\(1\) is 1/],
  [
    "declares three quarters of its α",
    { ...topK({ k: 1 }), alpha: (size: number) => .75 * (1 - 1 / size) } as Compressor,
    "its mean squared error is at most α",
    /on allEqual of 8 in 1 draws, above α/,
    { ...eight, kinds: ["allEqual"] },
  ],
  [
    "fails once in 500 draws where every draw must hold",
    {
      ...topK({ k: 7 }),
      encode(vector, key, message) {
        return topK({ k: 7 }).encode((key[0] >>> 0) % 500 === 0 ? new Float32Array(8) : vector, key, message);
      },
    },
    "every draw's squared error",
    /‖C\(x\) − x‖² was .*, above α ‖x‖²/,
    { ...eight, draws: 40 },
  ],
]);

Deno.test("compressorProperties raises no alarm where draws are too few to see what is rare", () => {
  // Of 61 numbers each is drawn 1.6 times in 100: by half of the seeds at least one of those looked at never is.
  for (const sound of [randK({ k: 1 }), bernoulli({ p: .02 })]) {
    for (let seed = 1; seed <= 10; seed++) {
      assertEquals(complaint(sound, unbiased, { sizes: [61], kinds: ["gaussian"], draws: 100, seed }), undefined);
    }
  }
});
