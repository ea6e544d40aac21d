/** Compressors: vector ⇄ message. @module */

export type { Key } from "../random.ts";
export * from "./compressor.ts";
export * from "./coding/entropy.ts";
export * from "./factories.ts";
export * from "./parse.ts";
export { doubleSampling, type LeastSquaresTerm } from "./quantizers/zipml.ts";
export { isSparsifier, type Sparsifier } from "./sparsifiers/sparsifier.ts";
