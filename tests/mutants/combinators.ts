/** Wrong changes of combinators. @module */

import { changesOf as of, type Mutant } from "./mutant.ts";

export default [
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
