/** The factories that fuzzing calls. @module */

export * as compressors from "../../compressors/factories.ts";
export * as methods from "../../optimizers/methods/factories.ts";
