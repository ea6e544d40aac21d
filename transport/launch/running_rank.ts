/** A rank that was started. @module */

import type { End } from "./failure.ts";

/** A rank that was started. */
export interface Running {
  readonly ended: Promise<End>;
  /** After `end`: when it is gone. */
  readonly gone: Promise<unknown>;
  end(): void;
}
