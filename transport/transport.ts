/** The interface of a transport. @module */

/** Reliable, ordered bytes between ranks. Nothing else. */
export interface Transport extends AsyncDisposable {
  /** This process's or worker's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks are connected. */
  readonly size: number;
  /** Resolves when `message` may be reused. Rejects with a TransportError if the peer is lost. */
  send(to: number, message: Uint8Array): Promise<void>;
  /** The next message from that rank: first in, first out; any length, also 0. */
  receive(from: number): Promise<Uint8Array>;
}

/** A peer was lost, did not answer in time, or sent what is not ours. `rank` names it where it is known. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  /** The peer that was lost. */
  readonly rank?: number;

  /** An error about `rank`, where one is to blame. */
  constructor(message: string, options: { readonly rank?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.rank !== undefined) this.rank = options.rank;
  }
}
