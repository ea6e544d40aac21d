/** The inner loops of the compressors in plain TypeScript: their definition. One file a topic. @module */

export * from "./dithering.ts";
export * from "./norm.ts";
export * from "./pack.ts";
