/** What the launcher and the workers that it started say to each other. @module */

import type { LaunchedPlace } from "../place.ts";

/** What a worker is told when it starts. */
export interface RankStart {
  readonly script: string;
  readonly prefix: boolean;
  readonly place: LaunchedPlace;
}

/** An error as it goes from one thread to another. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** The rank that was lost, where this error is a TransportError that names one, or was caused by it. */
  readonly lost?: number | undefined;
}

/** What a worker says: that it fails; and when it ends, whether it has called connect(). */
export type Said =
  | { readonly gradwire: "failed"; readonly failure: Failure }
  | { readonly gradwire: "ended"; readonly connected: boolean };
