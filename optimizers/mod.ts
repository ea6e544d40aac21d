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
export type { NamedTensorMap, Optimizer, Scalar, Tensor, Variable } from "@tensorflow/tfjs";
export * from "./reducer.ts";
export * from "./factories.ts";
export * from "./libsvm.ts";
export * from "./problem.ts";
export * from "./bucket.ts";
export * from "./distributed.ts";
export * from "./digest.ts";
export * from "./parse.ts";
