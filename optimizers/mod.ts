/** Methods, and the wrapper that brings them into tfjs. @module */

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
export * from "./methods/method.ts";
export { context } from "./methods/context.ts";
export { workspace } from "./methods/workspace.ts";
export * from "./methods/factories.ts";
export * from "./problems/libsvm.ts";
export * from "./problems/minimise.ts";
export * from "./problems/problem.ts";
export * from "./tfjs/variables/bucket.ts";
export * from "./tfjs/callbacks.ts";
export { restoreCheckpoint, saveCheckpoint } from "./tfjs/checkpoints/checkpoint.ts";
export * from "./methods/describe.ts";
export * from "./methods/parse_method.ts";
export type { DistributedOptimizerOptions } from "./tfjs/arguments.ts";
export * from "./tfjs/optimizer.ts";
export * from "./tfjs/checkpoints/file_handler.ts";
export type { Group } from "./tfjs/agreement/group.ts";
export * from "./tfjs/checkpoints/restore_from.ts";
export * from "./files/safetensors.ts";
export { type SaveOptions, saveTo } from "./tfjs/checkpoints/save_to.ts";
export * from "./tfjs/data/shard.ts";
export type { DataRows, Place, Shardable } from "./tfjs/data/shardable.ts";
export type { Slot, Slots } from "./tfjs/variables/slots.ts";
export type { OptimizerState, StateDigests } from "./tfjs/optimizer_state.ts";
export type { LeftOut } from "./tfjs/checkpoints/read_step.ts";
export type { Json } from "./files/step_folder.ts";
export type { Saved } from "./tfjs/checkpoints/write_step.ts";
export type { NamedGradient } from "./tfjs/variables/variables.ts";
export { averageState, broadcastState } from "./tfjs/agreement/sync_weights.ts";
export { type Weights, weightsDigest } from "./tfjs/variables/weights.ts";
export * from "./tfjs/variables/tfjs.ts";
