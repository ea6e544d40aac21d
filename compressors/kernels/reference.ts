/** The inner loops of the compressors in plain TypeScript: their definition. One file a topic. @module */

export * from "../coding/dither_coder.ts";
export * from "./dithering.ts";
export * from "./float_formats.ts";
export * from "./hadamard.ts";
export * from "./levels.ts";
export * from "./natural.ts";
export * from "./norm.ts";
export * from "./pack.ts";
export * from "./points.ts";
export * from "./quic.ts";
export * from "./select_by_sign.ts";
export * from "./signs.ts";
export * from "./spherical.ts";
export * from "../coding/trellis.ts";
export * from "./sparse.ts";
export * from "./select.ts";
export * from "./sparse_dithering.ts";
export * from "./water_filling.ts";
