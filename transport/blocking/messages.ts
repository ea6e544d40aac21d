/** What the caller and the comm worker post to each other, beside the mailbox. @module */

import type { CollectiveOptions } from "../collective/collective.ts";

/** The first message to the worker: how to connect. */
export interface ConnectRequest {
  readonly module: string;
  readonly connect: string;
  readonly options: unknown;
  /** How messages call what is connected. */
  readonly name: string;
  /** The options of the group, where the module connects a transport. */
  readonly group: CollectiveOptions;
}

/** The worker's only message: that it has connected, or why not. */
export type ConnectReply =
  | { readonly rank: number; readonly size: number; readonly uniform: boolean }
  | { readonly name: string; readonly message: string; readonly blamed: number | undefined };

/** What the worker is told once it has connected. */
export type WorkerMessage =
  /** The mailbox, to begin with. */
  | { readonly mailbox: SharedArrayBuffer }
  /** New memory for requests, where what was there is too small. */
  | { readonly request: SharedArrayBuffer }
  /** New memory for replies, which the worker has asked for. */
  | { readonly reply: SharedArrayBuffer }
  /** The group ends, in the middle of a round or between two: whom to blame, and why. */
  | { readonly abort: { readonly rank: number; readonly message: string } };
