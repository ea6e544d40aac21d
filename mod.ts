/** Compressed distributed training for TensorFlow.js. @module */

export * from "./random.ts";
export * from "./compressors/mod.ts";
export * from "./optimizers/mod.ts";
export * from "./transport/mod.ts";
