/** Bytes between ranks, rounds and their drivers. @module */

export * from "./transport.ts";
export * from "./round.ts";
export * from "./memory.ts";
export { collective, type CollectiveOptions, encodedBytes } from "./collective.ts";
