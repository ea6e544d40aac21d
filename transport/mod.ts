/** Bytes between ranks, rounds and their drivers. @module */

export * from "./transport.ts";
export * from "./round.ts";
