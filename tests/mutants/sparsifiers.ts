/** Wrong changes of sparsifiers. @module */

import { changesOf as of, type Mutant } from "./mutant.ts";

export default [
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
] satisfies Mutant[];
