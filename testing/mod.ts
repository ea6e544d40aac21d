/** Conformance suites for your own compressors, methods and transports. @module */

export type {
  Compressor,
  CompressorOptions,
  ContractiveCompressor,
  Key,
  LinearCompressor,
  UnbiasedCompressor,
} from "../compressors/mod.ts";
export * from "./compressor.ts";
export type {
  Constants,
  Context,
  Exchange,
  Keys,
  Layout,
  Method,
  State,
  Vector,
  Vectors,
  Workspace,
} from "../optimizers/methods/method.ts";
export type { Collective, GradientPart, Round, Traffic, WireRound } from "../transport/round.ts";
export { type Transport, TransportError } from "../transport/transport.ts";
export type { Property } from "./property.ts";
export * from "./method.ts";
export * from "./theory.ts";
export * from "./vectors.ts";
export { transportProperties, type TransportPropertiesOptions } from "./transport.ts";
export { collectiveProperties, type CollectivePropertiesOptions, type Ranks } from "./collective.ts";
export { collectiveTraffic } from "./traffic.ts";
