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
export * from "./reducer.ts";
export * from "./factories.ts";
export * from "./libsvm.ts";
export * from "./minimise.ts";
export * from "./problem.ts";
export * from "./bucket.ts";
export * from "./callbacks.ts";
export { restoreCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export * from "./describe.ts";
export * from "./parse.ts";
export * from "./distributed.ts";
export * from "./file_handler.ts";
export type { Group } from "./group.ts";
export * from "./restore_from.ts";
export * from "./safetensors.ts";
export { type SaveOptions, saveTo } from "./save_to.ts";
export * from "./shard.ts";
export type { Slot, Slots } from "./slots.ts";
export type { OptimizerState, StateDigests } from "./state.ts";
export type { LeftOut } from "./read_step.ts";
export type { Json } from "./step_folder.ts";
export type { Saved } from "./write_step.ts";
export type { NamedGradient } from "./variables.ts";
export { averageState, broadcastState, type Weights, weightsDigest } from "./weights.ts";
export * from "./tfjs.ts";
