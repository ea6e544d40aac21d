/** The list of all compressors and combinators. {@linkcode parseCompressor} knows what is exported here. @module */

export { identity } from "./identity.ts";
export { dithering, type DitheringOptions } from "./quantizers/dithering/dithering.ts";
export { qsgd } from "./quantizers/dithering/qsgd.ts";
export { ternGrad, type TernGradOptions } from "./quantizers/dithering/tern_grad.ts";
export { naturalCompression } from "./quantizers/natural_compression.ts";
export { naturalDithering, type NaturalDitheringOptions } from "./quantizers/natural_dithering.ts";
export { oneBit } from "./quantizers/one_bit.ts";
export { cast, type CastOptions } from "./quantizers/cast.ts";
export { blockwiseInt8, type BlockwiseInt8Options } from "./quantizers/blockwise_int8.ts";
export { stochasticLevels, type StochasticLevelsOptions } from "./quantizers/stochastic_levels.ts";
export { variableLength, type VariableLengthOptions } from "./quantizers/variable_length.ts";
export {
  subtractiveDithering,
  type SubtractiveDitheringOptions,
  type TrellisStates,
} from "./quantizers/subtractive_dithering.ts";
export { zipml, type ZipmlOptions } from "./quantizers/zipml/zipml.ts";
export { adaptiveQuantization, type AdaptiveQuantizationOptions } from "./quantizers/adaptive_quantization.ts";
export { sparseDithering, type SparseDitheringOptions } from "./quantizers/sparse_dithering/sparse_dithering.ts";
export { topK } from "./sparsifiers/top_k.ts";
export { randK } from "./sparsifiers/rand_k.ts";
export { scaledSign } from "./quantizers/scaled_sign.ts";
export { contractive } from "./combinators/contractive.ts";
export type { Count } from "./sparsifiers/count.ts";
export { sphericalCompression, type SphericalOptions } from "./quantizers/spherical/spherical_compression.ts";
export { bucketed } from "./combinators/bucketed.ts";
export { repeated } from "./combinators/repeated.ts";
export { induced } from "./combinators/induced.ts";
export { perTensor } from "./combinators/per_tensor.ts";
export { drive } from "./quantizers/eden/drive.ts";
export { eden, type EdenOptions } from "./quantizers/eden/eden.ts";
export { rotated, type RotatedOptions } from "./combinators/rotated.ts";
export { optimalSparsification } from "./sparsifiers/optimal_sparsification.ts";
export { bernoulli, type BernoulliOptions } from "./sparsifiers/bernoulli.ts";
export { threshold, type ThresholdOptions } from "./sparsifiers/threshold.ts";
export { compose } from "./combinators/compose.ts";
export { signTopK } from "./combinators/sign_top_k.ts";
export { randomizedMean, type RandomizedMeanOptions } from "./sparsifiers/randomized_mean.ts";
export { crossPolytope, type CrossPolytopeOptions } from "./quantizers/cross_polytope.ts";
export { atomo, type AtomoOptions } from "./sparsifiers/atomo.ts";
export { quicFl, type QuicFlOptions } from "./quantizers/quic_fl/quic_fl.ts";
export { kashin, type KashinOptions } from "./quantizers/kashin.ts";
