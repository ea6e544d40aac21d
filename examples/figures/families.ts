/** Families of compressors and the colour that each has in every figure. @module */

/** Compressors that work alike. */
export interface Family {
  readonly name: string;
  /** Dark enough to be read as text on white. */
  readonly color: string;
}

const family = (name: string, color: string, factories: string) => ({ name, color, factories: factories.split(" ") });

/** Every family, with the compressors that belong to it and the methods that bring a compressor of their own. */
export const FAMILIES: readonly (Family & { readonly factories: readonly string[] })[] = [
  family("32-bit floats", "#444444", "identity"),
  family("trellis dithering", "#0a58ca", "subtractiveDithering"),
  family("sparse dithering", "#18793a", "sparseDithering"),
  family("spherical compression", "#c2185b", "sphericalCompression sampledSpherical"),
  family("after a random rotation", "#7b3fb0", "eden drive quicFl kashin rotated"),
  family(
    "quantization levels",
    "#8a5a00",
    "dithering qsgd ternGrad naturalCompression naturalDithering stochasticLevels variableLength zipml cast " +
      "blockwiseInt8 adaptiveQuantization crossPolytope",
  ),
  family("one bit", "#007a87", "scaledSign oneBit distEf oneBitAdam oneBitSgd majorityVote"),
  family(
    "few numbers",
    "#c94a00",
    "topK randK bernoulli threshold optimalSparsification randomizedMean signTopK structuredUpdate " +
      "deepGradientCompression",
  ),
  family("low rank", "#5f6b00", "powerSgd atomo"),
];

/**
 * The family of a compressor or method that is written as a call: of the first name in the text that has one, so that
 * `bucketed(qsgd({ levels: 7 }), 512)` is in the family of `qsgd`. A method without a compressor sends 32-bit floats.
 */
export function familyOf(text: string): Family {
  for (const [name] of text.matchAll(/\w+/g)) {
    const found = FAMILIES.find(({ factories }) => factories.includes(name));
    if (found) return found;
  }
  return FAMILIES[0]!;
}
