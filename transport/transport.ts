/** The interface of a transport. @module */

/** Reliable, ordered bytes between ranks. Nothing else. */
export interface Transport extends AsyncDisposable {
  /** This process's or worker's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks are connected. */
  readonly size: number;
  /** Resolves when `message` may be reused. Rejects with a TransportError if the peer is lost. */
  send(to: number, message: Uint8Array): Promise<void>;
  /**
   * The next message from that rank: first in, first out; any length, also 0. What was sent before a peer was lost is
   * still received; then it rejects with a TransportError. The bytes are valid until the next `receive` from that rank.
   */
  receive(from: number): Promise<Uint8Array>;
  /** Bytes that go over the wire with each message besides its own; 0 if absent. What `sentBytes` adds. */
  readonly framing?: number;
  /**
   * When the last byte from that rank arrived, as `performance.now()` counts, heartbeats and parts of messages included.
   * Deadlines count from it. Of a transport without it only whole messages are signs of life.
   */
  lastSign?(from: number): number;
  /**
   * Ends the transport because of an error and tells the peers whom to blame, so that all ranks name the same one. A
   * transport without it is disposed of instead, and the peers name this rank.
   */
  abort?(reason: TransportError): Promise<void>;
}

/** A peer was lost, did not answer in time, or sent what is not ours. `rank` names it where it is known. */
export class TransportError extends Error {
  /** "TransportError". */
  override readonly name = "TransportError";
  /** The peer that was lost. */
  readonly rank?: number;

  /** An error about `rank`, where one is to blame. */
  constructor(message: string, options: { readonly rank?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.rank !== undefined) this.rank = options.rank;
  }
}

/** The reason for which a rank gives up, as the error that it tells the others: about itself, unless it names another. */
export function lossOf(reason: Error, rank: number): TransportError {
  if (reason instanceof TransportError && reason.rank !== undefined) return reason;
  return new TransportError(reason.message, { rank, cause: reason });
}
