/** Values that a caller may pass in place of what is asked for. @module */

import { compressors, methods } from "./factories.ts";
import { identity } from "../../compressors/mod.ts";
import type { Draw } from "./draw.ts";

/** Every option there is, by its name, and names that no option has. */
const OPTIONS = "k ratio levels norm coding clip format rounding block omega states keep proportion nu scale".split(" ")
  .concat(
    "centroids rateDistortion alpha unbiased budget shared rounds bits biased p whole tau relative values draws".split(
      " ",
    ),
    "rank columns probabilities centre delay momentum nesterov plus shiftStep terms form refresh convexity".split(" "),
    "smoothness parameters probability dense minimumRate startStep masking warmupSteps sample beta1 beta2".split(" "),
    "epsilon compressor every method fraction localSteps globalRate option steps from below names shapes".split(" "),
    "size timeout maxMessageBytes shuffle seed features ranks lambda batchSize epoch tensors metadata".split(" "),
    ["__proto__", "constructor", "encode", "", "levles"],
  );

const VALUES: readonly unknown[] = [
  ...[0, 1, 2, 3, 4, 8, 0.5, 0.1, 0.25, 1.5, -1, -0, NaN, Infinity, -Infinity, 1e-320, 2 ** 31, 2 ** 53, 1e300, 256],
  ...[undefined, null, true, false, "", "text", "1", "l2", "max", "elias", "entropy", "nearest", "random", "fp16"],
  ...["log", "float32", "tau", "exact", "uniform", "zero", "table", "B", "I", [], [1], [[2, 3]], {}],
  ...[() => 1, () => identity(), identity, new Date(0), new Float32Array(3), new Map(), /x/],
  ...[identity(), methods.average(), compressors.topK({ k: 2 }), compressors.randK({ k: 2 }), compressors.oneBit()],
  { names: ["a"], shapes: [[9]], size: 9 },
];

/** Values that throw where they are compared or printed without care. */
const EXOTIC: readonly unknown[] = [10n, Symbol("x"), Object.create(null), { toString: 1, valueOf: 2 }];

/** Any value. */
export function anyValue(draw: Draw, depth = 2, exotic = true): unknown {
  if (exotic && draw.once(12)) return draw.of(EXOTIC);
  if (depth > 0 && draw.once(3)) return anyOptions(draw, depth - 1, exotic);
  if (draw.once(6)) return draw.below(300) / draw.of([1, 1, 100, 300]);
  return draw.of(VALUES);
}

/** An object with up to three properties. */
export function anyOptions(draw: Draw, depth = 2, exotic = true): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (let left = draw.below(4); left > 0; left--) {
    const value = anyValue(draw, depth, exotic);
    Object.defineProperty(options, draw.of(OPTIONS), { value, enumerable: true, configurable: true, writable: true });
  }
  return options;
}
