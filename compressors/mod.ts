/** Compressors: from a vector to a message of fewer bytes and back. @module */

export type { Key } from "../random.ts";
export * from "./compress.ts";
export * from "./compressor.ts";
export type { Layout, TensorOfLayout } from "./layout.ts";
export * from "./coding/integer_model.ts";
export * from "./coding/range_coder.ts";
export * from "./factories.ts";
export * from "./parse.ts";
export { doubleSampling, type LeastSquaresTerm } from "./quantizers/zipml/double_sampling.ts";
export { isSparsifier, type Sparsifier } from "./sparsifiers/sparsifier.ts";
