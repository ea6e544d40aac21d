/** Every compressor and combinator, one line each. What is listed here can be named in text, see `parse`. @module */

export { identity } from "./identity.ts";
export { dithering, type DitheringOptions, type Flattened, qsgd, ternGrad, type TernGradOptions } from "./dithering.ts";
