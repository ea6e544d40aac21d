/** Methods, and the wrapper that brings them into tfjs. @module */

export type { Key } from "../random.ts";
export type {
  Compressor,
  CompressorOptions,
  ContractiveCompressor,
  UnbiasedCompressor,
} from "../compressors/compressor.ts";
export type { Round } from "../transport/round.ts";
export * from "./reducer.ts";
export * from "./factories.ts";
export * from "./libsvm.ts";
export * from "./problem.ts";
