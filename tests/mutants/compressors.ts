/** Wrong changes of codes of numbers and positions, of sparsifiers and combinators, and of what callers are told. @module */

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
  ...of("atomo.ts", ["atomo"], [
    [
      "ω a fifth less",
      "Math.max(0, most(size) / rank - 1)",
      "0.8 * Math.max(0, most(size) / rank - 1)",
      "the declared constant is reached",
    ],
    [
      "terms are not divided by their probability",
      "const weight = diagonal[j]! * Math.max(1, level / value) * largest;",
      "const weight = diagonal[j]! * largest;",
    ],
  ]),
  ...of("optimal_sparsification.ts", ["optimal_sparsification"], [
    [
      "ω a fifth less",
      "size / countFor(size) - 1",
      "0.8 * (size / countFor(size) - 1)",
      "optimalSparsification({ k: 1 }): the declared constant",
    ],
    [
      "a chance too high",
      "const unit = level * 2 ** -32;",
      "const unit = 0.9 * level * 2 ** -32;",
      "optimalSparsification({ k: 1 }): is unbiased",
    ],
  ]),
  ...of("bernoulli.ts", ["bernoulli"], [
    ["not divided by p", "count, scale * factor, into)", "count, scale, into)"],
    ["ω a tenth less", "omega: () => factor - 1", "omega: () => 0.9 * (factor - 1)"],
  ]),
  ...of("threshold.ts", ["threshold"], [
    ["α by c, not c²", "relative === undefined ? 1 : relative ** 2", "relative === undefined ? 1 : relative ** 3"],
    [
      "the largest is left out",
      "if (count === 0 && exact && size > 0 && vector[top] !== 0) indices[count++] = top;",
      "",
    ],
    [
      "τ by the norm",
      "relative! * Math.sqrt(sumOfSquares(vector) / size)",
      "relative! * Math.sqrt(sumOfSquares(vector))",
      "its mean squared error is at most",
    ],
  ]),
  ...of("top_k.ts", ["top_k"], [
    [
      "α is that of one more",
      "size === 0 ? 0 : 1 - countFor(size) / size",
      "size === 0 ? 0 : 1 - Math.min(size, countFor(size) + 1) / size",
    ],
  ]),
  ...of("rand_k.ts", ["rand_k"], [
    [
      "ω a fifth less",
      "size / countFor(size) - 1",
      "0.8 * (size / countFor(size) - 1)",
      "randK({ k: 1 }): the mean squared error",
    ],
    ["not multiplied by d/k", "k, scale * factor, into)", "k, scale, into)"],
  ]),
  ...of("bernoulli.ts", ["independence"], [
    ["one stream for all blocks", "words.subarray(0, to - from), from);", "words.subarray(0, to - from), 0);"],
  ]),
  ...of("compose.ts", ["compose"], [
    ["ω without 1 + ω_Q", "(1 + quantizer.omega(kept(size))) / share(size) - 1", "1 / share(size) - 1"],
    [
      "α a fifth less",
      "1 - (1 - quantizer.alpha(kept(size))) * share(size)",
      "0.8 * (1 - (1 - quantizer.alpha(kept(size))) * share(size))",
      "compose(sparseDithering",
    ],
  ]),
  ...of("sign_top_k.ts", ["sign_top_k"], [
    [
      "α of sign top-k is topK's",
      "1 - Math.min(1 / k, k / size)",
      "1 - k / size",
      "signTopK({ k: 3 }): the declared constant",
    ],
  ]),
  ...of("compose.ts", ["compose"], [
    [
      "the quantizer's draws under the sparsifier's key",
      "return at + quantizer.encode(values, fold(key, 1), message.subarray(at));",
      "return at + quantizer.encode(values, key, message.subarray(at));",
    ],
  ]),
  ...of("contractive.ts", ["contractive"], [
    ["not divided by 1 + ω", "scale * factor(into.length), into)", "scale, into)", "contractive(sparseDithering"],
    [
      "α is ω",
      "compressor.omega(size) * factor(size)",
      "0.8 * compressor.omega(size) * factor(size)",
      "contractive(sparseDithering",
    ],
  ]),
  ...of("induced.ts", ["induced"], [
    [
      "one key for both",
      "return unbiased.encode(rest, fold(key, 1), part);",
      "return unbiased.encode(rest, fold(key, 0), part);",
      "induced(topK({ k: 2 }), randK({ k: 4 })): the mean squared",
    ],
    [
      "ω a fifth less",
      "biased.alpha(size) * unbiased.omega(size)",
      "0.8 * biased.alpha(size) * unbiased.omega(size)",
      "induced(topK({ k: 2 }), randK({ k: 4 })): the declared",
    ],
  ]),
  ...of("repeated.ts", ["repeated"], [
    [
      "one key for all draws",
      "compressor.encode(vector, fold(key, i), part)",
      "compressor.encode(vector, fold(key, 0), part)",
      "repeated(randK({ k: 2 }), 3): the mean squared error",
    ],
    [
      "ω / times²",
      "compressor.omega(size) / times",
      "compressor.omega(size) / times ** 2",
      "the declared constant is reached",
    ],
  ]),
  ...of("bucketed.ts", ["bucketed"], [
    [
      "constants of the last bucket alone",
      "length >= size ? constant(size) : 0",
      "length < 0 ? constant(size) : 0",
      "bucketed(",
    ],
  ]),
  ...of("rotated.ts", ["rotated"], [
    [
      "the flat ω of no logarithm",
      "(2 * Math.log(2 * size) + 2)",
      "2",
      "rotated(stochasticLevels({ levels: 4 }), { rounds: 1 }): its variance",
    ],
  ]),
] satisfies Mutant[];
