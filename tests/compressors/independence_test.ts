/** No two decisions of a message come from the same random numbers. @module */

import { assert } from "@std/assert/mod.js";
import {
  blockwiseInt8,
  compose,
  compress,
  decompress,
  isUnbiased,
  naturalCompression,
  parseCompressor,
  randK,
  sphericalCompression,
} from "../../compressors/mod.ts";
import { fold, key } from "../../random.ts";
import { configurations } from "./everywhere.ts";
import { assertUnbiased, gaussian } from "./draws.ts";

/**
 * Numbers are handled in chunks of 2048, 3840 and 8192. Of a vector that repeats itself with that period the errors of a
 * number and of its repetition would be the same if both chunks had the same draws. (sphericalCompression's blocks share
 * their candidates, and atomo's terms are of the whole matrix.)
 */
const PERIODS = [2048, 3840, 8192], DRAWS = 4;
const independent = configurations.filter((text) =>
  isUnbiased(parseCompressor(text)) && !/^(sphericalCompression|atomo|perTensor|identity)/.test(text)
);

for (const text of independent) {
  Deno.test(`${text}: the errors of equal chunks are uncorrelated`, () => {
    const compressor = parseCompressor(text);
    for (const period of PERIODS) {
      const part = gaussian(period, period), x = new Float32Array(2 * period + 5);
      x.set(part), x.set(part, period);
      let product = 0, squares = 0, fourth = 0;
      for (let i = 0; i < DRAWS; i++) {
        const k = fold(key(23), i), y = decompress(compressor, compress(compressor, x, k), k, x.length);
        for (let j = 0; j < period; j++) {
          const p = (y[j]! - x[j]!) * (y[j + period]! - x[j + period]!);
          product += p, fourth += p * p, squares += (y[j]! - x[j]!) ** 2;
        }
      }
      // The variance of the sum from its terms; 8 standard errors happen by chance once in 8e14.
      const limit = 8 * Math.sqrt(fourth) + 0.02 * squares;
      assert(Math.abs(product) <= limit, `period ${period}: a correlation of ${product / squares}`);
    }
  });
}

Deno.test("blockwiseInt8, at random: the errors of equal blocks are uncorrelated", () => {
  const block = 64, c = blockwiseInt8({ block, rounding: "random" }), part = gaussian(block), x = new Float32Array(128);
  x.set(part), x.set(part, block);
  let product = 0, squares = 0;
  for (let i = 0; i < 200; i++) {
    const k = fold(key(29), i), y = decompress(c, compress(c, x, k), k, 128);
    for (let j = 0; j < block; j++) {
      product += (y[j]! - x[j]!) * (y[j + block]! - x[j + block]!), squares += (y[j]! - x[j]!) ** 2;
    }
  }
  // 12 800 products: a standard error is below 0.01.
  assert(Math.abs(product) < 0.08 * squares, `a correlation of ${product / squares}`);
});

Deno.test("compose: which numbers are kept tells nothing of how they are rounded", () => {
  // Of two numbers the first word of a key tells which is kept. Were it also the word that rounds, one of them would always
  // be rounded up and the other down.
  assertUnbiased(compose(naturalCompression(), randK({ k: 1 })), Float32Array.of(1.4, 1.4), 4000);
});

Deno.test("sphericalCompression: the norms of blocks are rounded by draws of their own", () => {
  // In blocks of one number only the norms err, relative to the first, the largest. 4000 products tell 0.08 from 0.
  const c = sphericalCompression({ alpha: 0.6, block: 1, unbiased: true }), x = Float32Array.of(1, 0.7, 0.7, 0.7, 0.7);
  let product = 0, squares = 0;
  for (let i = 0; i < 4000; i++) {
    const k = fold(key(31), i), y = decompress(c, compress(c, x, k), k, 5);
    product += (y[1]! - x[1]!) * (y[2]! - x[2]!) + (y[3]! - x[3]!) * (y[4]! - x[4]!);
    squares += x.reduce((sum, value, j) => sum + (y[j]! - value) ** 2, 0);
  }
  assert(squares > 0 && Math.abs(product) < 0.1 * squares / 2, `a correlation of ${2 * product / squares}`);
});
