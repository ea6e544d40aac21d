/** What the launcher knows of a rank that it has started. @module */

import type { End } from "./failure.ts";

/** A rank that was started. */
export interface Running {
  /** Resolves when it is known how the rank ended. */
  readonly ended: Promise<End>;
  /** Resolves when the rank exists no more. */
  readonly gone: Promise<unknown>;
  /** Ends the rank by force. */
  end(): void;
}
