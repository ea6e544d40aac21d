/** Every method and combinator of methods, one line each. What is listed here can be named in text, see `parse`. @module */

export { average } from "./average.ts";
export { diana, type DianaOptions, type DianaState } from "./diana.ts";
export { errorFeedback, type ErrorFeedbackOptions, type ErrorFeedbackState } from "./error_feedback.ts";
export { none } from "./none.ts";
export { adiana, type AdianaOptions, type AdianaState } from "./adiana.ts";
export { doubleSqueeze, type DoubleSqueezeState } from "./double_squeeze.ts";
export { ef21, type Ef21Options } from "./ef21.ts";
export { marina, type MarinaOptions, type MarinaState } from "./marina.ts";
export { vrDiana, type VrDianaOptions } from "./vr_diana.ts";
export type { TwoWayState } from "./two_way.ts";
export {
  fedAvg,
  type FedAvgOptions,
  localSgd,
  type LocalSgdOptions,
  qsparseLocal,
  type QsparseLocalOptions,
} from "./local_sgd.ts";
export { scaffold, type ScaffoldOptions, type ScaffoldState } from "./scaffold.ts";
export { distEf, type DistEfOptions } from "./dist_ef.ts";
export { majorityVote, type MajorityVoteOptions, type MajorityVoteState } from "./majority_vote.ts";
export { oneBitAdam, type OneBitAdamOptions, type OneBitAdamState } from "./one_bit_adam.ts";
export { oneBitSgd, type OneBitSgdOptions } from "./one_bit_sgd.ts";
export {
  deepGradientCompression,
  type DeepGradientCompressionOptions,
  type DeepGradientCompressionState,
} from "./deep_gradient_compression.ts";
export { powerSgd, type PowerSgdOptions, type PowerSgdState } from "./power_sgd.ts";
export { structuredUpdate, type StructuredUpdateOptions, type StructuredUpdateState } from "./structured_update.ts";
export { type Layer, perLayer, skipSmall, type SkipSmallOptions } from "./per_layer.ts";
export { schedule } from "./schedule.ts";
export { warmup, type WarmupOptions } from "./warmup.ts";
