/** Conformance suites for your own compressors, reducers and transports. @module */

export type {
  Compressor,
  CompressorOptions,
  ContractiveCompressor,
  Key,
  LinearCompressor,
  UnbiasedCompressor,
} from "../compressors/mod.ts";
export * from "./compressor.ts";
export type { Property } from "./property.ts";
export * from "./vectors.ts";
