/** Wrong changes of quantizers. @module */

import { changesOf as of, type Mutant } from "./mutant.ts";

export default [
  ...of("dithering.ts", ["dithering"], [
    [
      "ω by levels up to √d",
      "return 2 * levels <= Math.sqrt(size)",
      "return levels <= Math.sqrt(size)",
      "ω holds where levels are",
    ],
    [
      "ω of few levels a fifth less",
      "? Math.sqrt(size) / levels - 1",
      "? 0.8 * (Math.sqrt(size) / levels - 1)",
      "its variance is at most",
    ],
    [
      "ω of many levels a fifth less",
      ": size / (4 * levels ** 2);",
      ": size / (5 * levels ** 2);",
      "its variance is at most",
    ],
    [
      "ω by the maximum a fifth less",
      "return (Math.sqrt(1 + (size - 1) / levels ** 2) - 1) / 2;",
      "return 0.4 * (Math.sqrt(1 + (size - 1) / levels ** 2) - 1);",
      "its variance is at most",
    ],
    [
      "the scale is not what was sent",
      "levels / sent, levels, top, codes);",
      "0.98 * levels / sent, levels, top, codes);",
    ],
  ]),
  ...of("level_codes.ts", ["level_codes"], [
    [
      "room for gaps a bit short",
      "(size * (2 + omegaLength(levels))",
      "(size * (1 + omegaLength(levels))",
      "no message is longer than declared",
    ],
  ]),
  ...of("level_codes.ts", ["qsgd"], [
    ["a level too high", "if (level > levels) refuse", "if (level > levels + 1) refuse", "a message that is not one"],
  ]),
  ...of("tern_grad.ts", ["tern_grad"], [
    [
      "clips by the variance",
      "const limit = clip * deviation(vector);",
      "const limit = clip * deviation(vector) ** 2;",
      "ternGrad clips",
    ],
  ]),
  ...of("adaptive_quantization.ts", ["adaptive_quantization"], [
    ["α without ⌈⌉", "1 / Math.ceil(proportion * size)", "1 / (proportion * size)", "the declared constant is reached"],
    ["α without 1/d", "Math.max(proportion, 1 / size)", "proportion", "the declared constant is reached"],
    [
      "α is that of equal magnitudes",
      "1 - Math.min(Math.max(proportion, 1 / size), 1 / Math.ceil(proportion * size))",
      "1 - Math.max(proportion, 1 / size)",
    ],
  ]),
  ...of("adaptive_quantization.ts", ["canonical"], [
    ["takes means of the wrong sign", "if (above < 0 || below > 0)", "if (above < 0)", "adaptiveQuantization"],
  ]),
  ...of("quantized_blocks.ts", ["eden"], [
    [
      "ω is the distortion",
      "spread / (1 - distortion) - 1",
      "spread * (1 + distortion) - 1",
      "eden({ bits: 1 }): its variance",
    ],
    [
      "the scale of least error for the unbiased one",
      "(biased ? product / squares : padded / product)",
      "product / squares",
      "eden({ bits: 1 }): is unbiased",
    ],
    ["fractions get no spread", "? 1 + 1.75 / rich + 6 / rich ** 2 : 1", "? 1 : 1", "eden with less than a bit"],
  ]),
  ...of("drive.ts", ["drive"], [
    [
      "drive's α is .4",
      "alpha: (size) => size > 1 ? 1 / 2 : 0",
      "alpha: (size) => size > 1 ? 0.4 : 0",
      "drive, biased: α is",
    ],
  ]),
  ...of("quantized_blocks.ts", ["ends"], [
    [
      "codes follow a scale that is 0",
      "if (readScale(name, message, start) === 0) at = start + 4;",
      "",
      "eden({ bits: 1.5 })",
    ],
  ]),
  ...of("quic_fl.ts", ["quic_fl"], [
    [
      "private draws under the shared key",
      "draw(fold(own, -2), codes);",
      "draw(fold(own, -1), codes);",
      "the sender's draws are independent",
    ],
    [
      "shared numbers of another key",
      "draw(fold(key, -1), words.subarray(0, (size + 3) >> 2));",
      "draw([0, 0], words.subarray(0, (size + 3) >> 2));",
      "quicFl({ bits: 1 }): is unbiased",
    ],
    ["ω a tenth less", "omega: (_size) => gaussian,", "omega: (_size) => 0.9 * gaussian,", "vNMSE"],
    ["outliers are not put back", "memory[place] = value;", "memory[place] = 0;", "vNMSE"],
  ]),
  ...of("quic_fl.ts", ["quic_fl"], [
    ["takes outliers in any order", "place <= before || ", "", "outliers in another order"],
  ]),
  ...of("kashin.ts", ["kashin"], [
    [
      "ω of two levels a fifth less",
      "levels === 2 ? (PROMISED ** 2 - 1) / 2",
      "levels === 2 ? 0.8 * (PROMISED ** 2 - 1) / 2",
      "other rotations are tried",
    ],
    [
      "rotations all alike",
      "fold(own, attempt)) > PROMISED && attempt",
      "fold(own, 0)) > PROMISED && attempt",
      "other rotations are tried",
    ],
    ["promises what it does not try for", "PROMISED = 2.25", "PROMISED = 1.9", "the error follows from the flatness"],
  ]),
  ...of("tight_frame.ts", ["kashin"], [
    ["no steps towards a flat one", "STEPS = 16", "STEPS = 1"],
  ]),
  ...of("kashin.ts", ["canonical", "ends"], [
    ["zeros with a rotation", "if (most === 0 && attempt === 0) return;", "if (most === 0) return;"],
    [
      "codes follow a scale that is 0",
      'if (readScale("kashin", message, at - 4) === 0) {',
      "if (unit < 0) {",
      "kashin({ levels: 4 })",
    ],
  ]),
  ...of("natural_compression.ts", ["natural_compression"], [
    ["ω a fifth less", "omega: () => 1 / 8,", "omega: () => 1 / 10,", "naturalCompression(): its variance"],
  ]),
  ...of("natural_compression.ts", ["canonical"], [
    ["takes −0", 'if (codes.includes(256)) refuse("naturalCompression", "a number is −0, expected 0");', ""],
  ]),
  ...of("natural_dithering.ts", ["natural_dithering"], [
    ["ω of the norm a fifth less", "q - 1;", "0.8 * (q - 1);"],
    [
      "ω of the maximum without ⅛",
      "Math.max(1 / 8, (Math.sqrt(1 + (size - 1) * lowest ** 2) - 1) / 2)",
      "(Math.sqrt(1 + (size - 1) * lowest ** 2) - 1) / 2",
    ],
    ["the lowest level is another", "lowest = 2 ** (1 - levels)", "lowest = 2 ** -levels"],
  ]),
  ...of("cast.ts", ["cast"], [
    ["α a fifth less", "(ulp / (2 + ulp)) ** 2", "0.8 * (ulp / (2 + ulp)) ** 2", "every draw's squared error"],
    ["ω a fifth less", "ulp ** 2 / (4 * (1 + ulp))", "ulp ** 2 / (5 * (1 + ulp))"],
    [
      "scaled half as much as can be",
      "return exponentOf(most / magnitude);",
      "return exponentOf(most / magnitude) - 7;",
      "decoding is finite",
    ],
  ]),
  ...of("blockwise_int8.ts", ["blockwise_int8"], [
    ["α a fifth less", "others(size) / (4 * 127 ** 2 + others(size))", "others(size) / (5 * 127 ** 2 + others(size))"],
    [
      "ω a fifth less",
      "(Math.sqrt(1 + others(size) / 127 ** 2) - 1) / 2",
      "(Math.sqrt(1 + others(size) / 127 ** 2) - 1) / 2.5",
    ],
  ]),
  ...of("blockwise_int8.ts", ["canonical"], [
    ["takes code 255", 'if (codes.includes(255)) refuse("blockwiseInt8", "a code is 255, expected 0 to 254");', ""],
  ]),
  ...of("stochastic_levels.ts", ["stochastic_levels"], [
    [
      "ω a fifth less",
      "Math.max(0, size - 2) / (2 * top ** 2)",
      "Math.max(0, size - 2) / (2.5 * top ** 2)",
      "stochasticLevels({ levels: 2 }): the declared constant",
    ],
    ["a level too many", "const rate = top / (most - least);", "const rate = (top + 1) / (most - least);"],
  ]),
  ...of("variable_length.ts", ["canonical"], [
    ["takes a least number beyond the norm", "if (Math.abs(least) > norm)", "if (least !== least)"],
  ]),
  ...of("variable_length.ts", ["variable_length"], [
    ["ω of variable length a fifth less", "size / (2 * topOf(size) ** 2)", "size / (2.5 * topOf(size) ** 2)"],
  ]),
  ...of("stochastic_levels.ts", ["canonical"], []),
  ...of("zipml.ts", ["zipml"], [
    [
      "ω a fifth less",
      "(size - 2) / (2 * (levels - 1) ** 2)",
      "(size - 2) / (2.5 * (levels - 1) ** 2)",
      "ω is reached by two levels",
    ],
  ]),
  ...of("double_sampling.ts", ["double_sampling"], [
    ["one key for both samples", "const k = fold(key, i);", "const k = fold(key, 0);", "double sampling is unbiased"],
  ]),
  ...of("double_sampling.ts", ["double_sampling"], [
    ["the estimate is of one order", "(v * other + second[i]! * one) / 2", "v * one"],
  ]),
  ...of("zipml.ts", ["canonical"], [
    ["takes levels in any order", "if (!(values[i - 1]! <= values[i]!))", "if (values[i] === Infinity)"],
  ]),
  ...of("cross_polytope.ts", ["cross_polytope"], [
    [
      "ω a fifth less",
      "Math.max(0, size - 1) / draws",
      "Math.max(0, size - 1) / (1.25 * draws)",
      "the declared constant is reached",
    ],
    [
      "the rest is not spread",
      "each = rest / (2 * vector.length)",
      "each = 0 * rest",
      "the mean squared error is the exact",
    ],
    [
      "a negative number draws its positive vertex",
      "mass += each + Math.max(0, -value);\n    for (; r < draws && sorted[r]! < mass; r++) indices[r] = 2 * i + 1 + r;",
      "mass += each + Math.max(0, -value);\n    for (; r < draws && sorted[r]! < mass; r++) indices[r] = 2 * i + r;",
    ],
  ]),
  ...of("scaled_sign.ts", ["scaled_sign"], [
    ["α a fifth less", "1 - 1 / lengthOf(size)", "0.8 * (1 - 1 / lengthOf(size))"],
    [
      "the scale is the root mean square",
      "sumOfMagnitudes(part) / part.length",
      "sumOfMagnitudes(part) / Math.sqrt(part.length)",
    ],
  ]),
  ...of("one_bit.ts", ["one_bit"], [
    ["α a fifth less", "size === 0 ? 0 : 1 - 1 / size", "size === 0 ? 0 : 0.8 * (1 - 1 / size)"],
    ["means over all numbers", "negative / negatives", "negative / vector.length"],
  ]),
  ...of("sparse_dithering.ts", ["sparse_dithering"], [
    [
      "ω above 1 a fifth less",
      "2 * Math.sqrt(nu) - 1",
      "0.8 * (2 * Math.sqrt(nu) - 1)",
      "the declared constant is reached",
    ],
    ["ω a fifth less", "nu <= 1 ? nu :", "nu <= 1 ? 0.8 * nu :", "the declared constant is reached"],
  ]),
  ...of("float32.ts", ["sparse_rounding"], [
    ["a step rounded to nearest", "  if (float[0]! > value) word[0]!--;\n", ""],
  ]),
  ...of("subtractive_dithering.ts", ["subtractive_dithering"], [
    [
      "a fifth more variance than ω",
      "Math.sqrt(((1 + omega) * count / size - 1)",
      "Math.sqrt(1.2 * ((1 + omega) * count / size - 1)",
      "subtractiveDithering({ omega: 0.5, states: 8 }): the mean squared error",
    ],
    [
      "what is kept is not multiplied by d/k",
      "const gain = step * length * size / count",
      "const gain = step * length",
      "subtractiveDithering({ omega: 9, states: 4 }): the mean squared error",
    ],
    [
      "the indices' key is the dither's",
      "choose(fold(key, 3), count, size",
      "choose(fold(key, 1), count, size",
      "fewer bits than EDEN",
    ],
  ]),
  ...of("block_caps.ts", ["spherical_compression"], [
    ["ω without what rounding the norm adds", "* (1 + spread) - 1", "- 1"],
    ["the biased gain for the unbiased", "gain: unbiased ? 1 / mean : threshold", "gain: threshold"],
  ]),
  ...of("block_norms.ts", ["spherical_compression"], [
    ["norms rounded to nearest in the mean", "part > (unbiased && part > 0 ?", "part > (part < 0 ?"],
    [
      "blocks share one draw",
      "uniform(fold(key, 2), pair, 2 * draw)",
      "uniform(fold(key, 2), pair, 0)",
      "draws of their own",
    ],
  ]),
  ...of("blockwise_int8.ts", ["blockwise_int8"], [
    ["one stream for all blocks", "bits(key, codes, word);", "bits(key, codes, 0);"],
  ]),
] satisfies Mutant[];
