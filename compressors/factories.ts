/** Every compressor and combinator, one line each. What is listed here can be named in text, see `parse`. @module */

export { identity } from "./identity.ts";
export { dithering, type DitheringOptions, type Flattened, qsgd, ternGrad, type TernGradOptions } from "./dithering.ts";
export { naturalCompression } from "./natural_compression.ts";
export { naturalDithering, type NaturalDitheringOptions } from "./natural_dithering.ts";
export { oneBit } from "./one_bit.ts";
export { cast, type CastOptions } from "./cast.ts";
export { blockwiseInt8, type BlockwiseInt8Options } from "./blockwise_int8.ts";
export {
  stochasticLevels,
  type StochasticLevelsOptions,
  variableLength,
  type VariableLengthOptions,
} from "./stochastic_levels.ts";
export { subtractiveDithering, type SubtractiveDitheringOptions, type TrellisStates } from "./subtractive_dithering.ts";
export { zipml, type ZipmlOptions } from "./zipml.ts";
export { adaptiveQuantization, type AdaptiveQuantizationOptions } from "./adaptive_quantization.ts";
export { sparseDithering, type SparseDitheringOptions } from "./sparse_dithering.ts";
export { topK } from "./top_k.ts";
export { randK } from "./rand_k.ts";
export { scaledSign } from "./scaled_sign.ts";
export { contractive } from "./contractive.ts";
export type { Count } from "./count.ts";
export { sphericalCompression, type SphericalOptions } from "./spherical.ts";
export { bucketed } from "./bucketed.ts";
export { repeated } from "./repeated.ts";
export { induced } from "./induced.ts";
export { perTensor, type TensorLayout, type TensorOfLayout } from "./per_tensor.ts";
export { drive, eden, type EdenOptions } from "./eden.ts";
export { rotated, type RotatedOptions } from "./rotated.ts";
export { optimalSparsification } from "./optimal_sparsification.ts";
export { bernoulli, type BernoulliOptions } from "./bernoulli.ts";
export { threshold, type ThresholdOptions } from "./threshold.ts";
export { compose, signTopK } from "./compose.ts";
export { randomizedMean, type RandomizedMeanOptions } from "./randomized_mean.ts";
export { crossPolytope, type CrossPolytopeOptions } from "./cross_polytope.ts";
export { atomo, type AtomoOptions } from "./atomo.ts";
export { quicFl, type QuicFlOptions } from "./quic_fl.ts";
export { kashin, type KashinOptions } from "./kashin.ts";
