/** Conformance suites for your own compressors, reducers and transports. @module */

export type { Property } from "./property.ts";
