/** Compressors: vector ⇄ message. @module */

export type { Key } from "../random.ts";
export * from "./compressor.ts";
export * from "./entropy.ts";
export * from "./factories.ts";
export * from "./parse.ts";
export { doubleSampling, type LeastSquaresTerm } from "./zipml.ts";
export { isSparsifier, type Sparsifier } from "./sparsifier.ts";
