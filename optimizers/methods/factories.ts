/** Every method and combinator of methods. What is listed here can be named in text, see `parseMethod`. @module */

export { average } from "./average.ts";
export { diana, type DianaOptions, type DianaState } from "./differences/diana.ts";
export { errorFeedback, type ErrorFeedbackOptions, type ErrorFeedbackState } from "./error_feedback/error_feedback.ts";
export { none } from "./none.ts";
export { adiana, type AdianaOptions, type AdianaState } from "./differences/adiana.ts";
export { doubleSqueeze, type DoubleSqueezeState } from "./error_feedback/double_squeeze.ts";
export { ef21, type Ef21Options } from "./differences/ef21.ts";
export { marina, type MarinaOptions, type MarinaState } from "./differences/marina.ts";
export { vrDiana, type VrDianaOptions } from "./differences/vr_diana.ts";
export type { BidirectionalState } from "./error_feedback/bidirectional.ts";
export {
  fedAvg,
  type FedAvgOptions,
  localSgd,
  type LocalSgdOptions,
  qsparseLocal,
  type QsparseLocalOptions,
} from "./local/local_sgd.ts";
export { scaffold, type ScaffoldOptions, type ScaffoldState } from "./local/scaffold.ts";
export { distEf, type DistEfOptions } from "./error_feedback/dist_ef.ts";
export { majorityVote, type MajorityVoteOptions, type MajorityVoteState } from "./majority_vote.ts";
export { oneBitAdam, type OneBitAdamOptions, type OneBitAdamState } from "./error_feedback/one_bit_adam.ts";
export { oneBitSgd, type OneBitSgdOptions } from "./error_feedback/one_bit_sgd.ts";
export {
  deepGradientCompression,
  type DeepGradientCompressionOptions,
  type DeepGradientCompressionState,
} from "./error_feedback/deep_gradient_compression.ts";
export { powerSgd, type PowerSgdOptions, type PowerSgdState } from "./error_feedback/power_sgd.ts";
export {
  structuredUpdate,
  type StructuredUpdateOptions,
  type StructuredUpdateState,
} from "./local/structured_update.ts";
export { perLayer, skipSmall, type SkipSmallOptions } from "./combinators/per_layer.ts";
export { schedule } from "./combinators/schedule.ts";
export { warmup, type WarmupOptions } from "./combinators/warmup.ts";
