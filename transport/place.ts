/** Where the launcher leaves word for `connect` and `launchArgs`: a symbol of the worker's global object. @module */

/** What a worker is told by the launcher that started it. */
export interface Place {
  readonly rank: number;
  readonly size: number;
  /** The script's arguments. */
  readonly args: readonly string[];
  readonly group:
    | { readonly transport: "broadcast"; readonly name: string }
    | { readonly transport: "tcp"; readonly host: string; readonly port: number };
  /** How long ranks wait for one another, in milliseconds. */
  readonly timeout?: number;
}

const mark = Symbol.for("gradwire place");

/** This worker's place, where the launcher started it. */
export function place(): Place | undefined {
  return (globalThis as { [mark]?: Place })[mark];
}

/** Tells this worker its place. */
export function settle(place: Place): void {
  (globalThis as { [mark]?: Place })[mark] = place;
}

/** What a worker tells the launcher. */
export interface FromRank {
  readonly gradwire: "end";
  readonly code: number;
  readonly error?: unknown;
}
