/** The interface of a transport. @module */

/** One rank's connections with the others: messages of bytes, complete and in order, and nothing else. */
export interface Transport extends AsyncDisposable {
  /** The number of this process or worker, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks are connected. */
  readonly size: number;
  /** Sends a message. Resolves when `message` may be reused. Rejects with a TransportError if the peer is lost. */
  send(to: number, message: Uint8Array): Promise<void>;
  /**
   * Receives the next message from that rank, of any length, 0 too. What was sent before a peer was lost is still
   * received; then it rejects with a TransportError. The bytes are valid until the next `receive` from that rank.
   */
  receive(from: number): Promise<Uint8Array>;
  /**
   * The bytes that go over the wire with each message besides its own, and are counted as sent and received. Default 0.
   */
  readonly framing?: number;
  /**
   * When the last byte from that rank arrived, as `performance.now()` counts. Heartbeats and parts of messages are
   * bytes, too. Deadlines count from then. Of a transport without it only whole messages are signs of life.
   */
  lastSign?(from: number): number;
  /**
   * Ends the transport because of an error and tells the peers whom to blame, so that all ranks name the same one. A
   * transport without it is disposed of instead, and the peers name this rank.
   */
  abort?(reason: TransportError): Promise<void>;
}

/**
 * A peer was lost, did not answer in time, or sent what does not belong here. `rank` is its number, where that is
 * known.
 */
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

/**
 * The error that a rank tells the others when it gives up for a reason: the reason itself where that names a rank, and
 * else an error that names this rank.
 */
export function lossOf(reason: Error, rank: number): TransportError {
  if (reason instanceof TransportError && reason.rank !== undefined) return reason;
  return new TransportError(reason.message, { rank, cause: reason });
}
