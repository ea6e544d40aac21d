/** Methods, convex problems, and the optimizer by which tfjs trains with a method. @module */

export type { Key } from "../random.ts";
export type {
  Compressor,
  CompressorOptions,
  ContractiveCompressor,
  UnbiasedCompressor,
} from "../compressors/compressor.ts";
export type {
  BlockingCollective,
  Collective,
  Exchange,
  GradientPart,
  Round,
  Traffic,
  WireRound,
} from "../transport/round.ts";

// Methods.
export * from "./methods/method.ts";
export { context } from "./methods/context.ts";
export { workspace } from "./methods/workspace.ts";
export * from "./methods/factories.ts";
export * from "./methods/describe.ts";
export * from "./methods/parse_method.ts";

// Convex problems.
export * from "./problems/libsvm.ts";
export * from "./problems/minimise.ts";
export type { SplitOptions } from "./problems/linear_model.ts";
export type { Problem } from "./problems/problem.ts";
export * from "./problems/quadratic.ts";
export * from "./problems/regression.ts";

// The optimizer.
export type { DistributedOptimizerOptions } from "./tfjs/arguments.ts";
export * from "./tfjs/optimizer.ts";
export type { Group } from "./tfjs/agreement/group.ts";
export { averageState, broadcastState } from "./tfjs/agreement/sync_weights.ts";
export * from "./tfjs/callbacks.ts";
export type { OptimizerState, StateDigests } from "./tfjs/optimizer_state.ts";
export * from "./tfjs/variables/bucket.ts";
export type { Slot, Slots } from "./tfjs/variables/slots.ts";
export * from "./tfjs/variables/tfjs.ts";
export type { NamedGradient } from "./tfjs/variables/variables.ts";
export { type Weights, weightsDigest } from "./tfjs/variables/weights.ts";

// Data.
export * from "./tfjs/data/shard.ts";
export type { DataRows, Place, Shardable } from "./tfjs/data/shardable.ts";

// Checkpoints and files.
export { restoreCheckpoint, saveCheckpoint } from "./tfjs/checkpoints/checkpoint.ts";
export * from "./tfjs/checkpoints/file_handler.ts";
export type { LeftOut } from "./tfjs/checkpoints/read_step.ts";
export * from "./tfjs/checkpoints/restore_from.ts";
export { type SaveOptions, saveTo } from "./tfjs/checkpoints/save_to.ts";
export type { Saved } from "./tfjs/checkpoints/write_step.ts";
export * from "./files/safetensors.ts";
export type { Json } from "./files/step_folder.ts";
