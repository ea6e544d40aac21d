/** No two decisions of a message come from the same random numbers. @module */

import { assert } from "@std/assert/mod.js";
import { compress, decompress, isUnbiased, parseCompressor } from "../../compressors/mod.ts";
import { fold, key } from "../../random.ts";
import { configurations } from "./everywhere/everywhere.ts";
import { gaussian } from "./tools/draws.ts";

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
