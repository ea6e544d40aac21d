/** Wrong changes of codes of numbers and positions, and of what callers are told. @module */

import { changesOf as of, type Mutant } from "./mutant.ts";

export default [
  ...of("kernels/powers_of_two.ts", ["natural_compression"], [
    [
      "rounds by half of the mantissa",
      "let code = (word + (random >>> 9)) >>> 23;",
      "let code = (word + (random >>> 10)) >>> 23;",
    ],
    [
      "subnormal numbers to the power below",
      "(random >>> (32 - place)) % 2 ** place < below ? 1 : 0",
      "below < 0 ? 1 : 0",
    ],
  ]),
  ...of("rotation.ts", ["eden"], [
    ["one round of signs", "return size >= 256 ? 3 : 4;", "return 1;", "eden({ bits: 1 }): is unbiased"],
  ]),
  ...of("rotation.ts", ["kernels/rotation"], [
    [
      "rows that are not orthogonal",
      "for (let j = 0; j < i; j++) {\n        let product",
      "for (let j = 0; j < i - 1; j++) {\n        let product",
    ],
  ]),
  ...of("range_coder.ts", ["canonical", "range_coder", "integer_model"], [
    [
      "takes a longer stream",
      "if (surplus || zero || this.#foreign || code >= range || window !== expected) {",
      "if (zero) {",
    ],
    ["takes any last byte", " || window !== expected", ""],
    ["the carry is lost", "if (low >= 2 ** 32) this.#carry();", ""],
  ]),
  ...of("count_mask.ts", ["canonical", "index_set"], [
    ["takes any number within the interval", "unit !== Math.ceil(low / unit) * unit % FULL", "unit < 0"],
    ["a bit too few at the end", "<= low + range) return bits;", "<= low + range) return Math.max(0, bits - 1);"],
  ]),
  ...of("refuse.ts", ["canonical"], [
    ["takes any padding", "if (used > 0 && (message", "if (used > 8 && (message"],
  ]),
  ...of("floats.ts", ["canonical"], [
    ["takes −0 as a scale", "if (message[at + 3]! >= 128) {", "if (scale < 0) {"],
  ]),
  ...of("kernels/pack.ts", ["canonical"], [
    [
      "takes digits beyond the last",
      'if (byte !== 0) throw new RangeError("Cannot read the message: its last byte has a digit too many");',
      "",
    ],
  ]),
  ...of("norm.ts", ["canonical"], [
    ["takes a minus before any norm", "|| (negative && norm < MAX_FLOAT32)", ""],
  ]),
  ...of("log_scale.ts", ["canonical"], [
    ["takes scales in five bytes that have one", "if (value === 0 || fitsByte(value)) refuse", "if (value < 0) refuse"],
  ]),
  ...of("frames.ts", ["canonical"], [
    ["takes lengths with a group too many", "if (byte === 0 && weight > 1)", "if (byte < 0)"],
    ["takes lengths where none is needed", "if (flag === 1 && total === 0)", "if (total < 0)"],
  ]),
  ...of("parse.ts", ["parse"], [
    ["any depth", "if (++depth > DEEPEST)", "if (++depth < 0)"],
  ]),
  ...of("options.ts", ["parse"], [
    ["no swapped letters", "if (swapped) row[j]", "if (swapped && i < 0) row[j]"],
  ]),
  ...of("compressors/check.ts", ["compressors/check"], [
    [
      "what only looks like a compressor is one",
      '[maxByteLength, encode, decodeAdd].every((method) => typeof method === "function")',
      'typeof encode === "function"',
    ],
  ]),
] satisfies Mutant[];
