/** Rounds, which methods yield, and the groups of ranks that perform them. @module */

/**
 * One synchronised exchange of all ranks. Replies, and the bytes in them, are valid until the next round: their memory
 * is reused.
 */
export type WireRound =
  /** The reply holds the messages of all ranks, in rank order. */
  | { readonly op: "allGather"; readonly message: Uint8Array }
  /** `messages[p]` is for rank p. The reply holds what each rank sent to this one, in rank order. */
  | { readonly op: "allToAll"; readonly messages: readonly Uint8Array[] }
  /** The vector becomes the sum over ranks, with the same bits on all of them. The reply is empty. */
  | { readonly op: "allReduce"; readonly vector: Float32Array }
  /** The reply holds one message, the root's. What other ranks pass as their message is ignored. */
  | { readonly op: "broadcast"; readonly root: number; readonly message: Uint8Array };

/** What a method yields: an exchange of all ranks, or a request that its driver answers without one. */
export type Round =
  | WireRound
  /** Answered by this rank alone: `into` becomes its gradient at the point `at`. The reply is empty. */
  | { readonly op: "gradient"; readonly at: Float32Array; readonly into: Float32Array; readonly of?: GradientPart }
  /** Starts an exchange that goes on while the rank computes, until "finish". The reply is empty. */
  | { readonly op: "start"; readonly round: WireRound }
  /** Waits for the exchange begun by "start" and returns its reply. */
  | { readonly op: "finish" };

/**
 * The data that a gradient is taken over: the batch of this step (default), all of this rank's data, or the term with
 * this number among those that the data consists of.
 */
export type GradientPart = "batch" | "all" | number;

/** What a method runs: a generator that yields rounds, is sent their replies, and returns an R. */
export type Exchange<R = void> = Generator<Round, R, readonly Uint8Array[]>;

/** Writes this rank's gradient at the point `at` into `into`. Throws a TypeError for a part that it does not know. */
export type GradientOracle = (at: Float32Array, into: Float32Array, of?: GradientPart) => void;

/** What one rank has moved since its group was made. All but `rounds` are bytes. */
export interface Traffic {
  /** Rounds performed. */
  rounds: number;
  /**
   * This rank's own messages, each counted once, as papers plot them. All-gather: its message. All-to-all: all of its
   * messages, the one to itself too. All-reduce: 4 bytes a number. Broadcast: the root's message, at the root only.
   */
  encodedBytes: number;
  /** Sent by this rank: each message as often as it is sent, with framing. */
  sentBytes: number;
  /** Received by this rank, with framing. */
  receivedBytes: number;
}

/** Ranks that are connected, as one of them sees them. */
export interface ConnectedRanks {
  /** This rank's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks are connected. */
  readonly size: number;
  /** What this rank has moved so far. */
  readonly traffic: Readonly<Traffic>;
  /**
   * Whether every round succeeds on all ranks or fails on all of them. Where it is absent, as over TCP, a rank that is
   * lost in the middle of a round may leave some ranks with the round finished and some without. They are never more
   * than one round apart, because nobody finishes a round before all ranks have begun it. Broadcasts are the exception:
   * a rank finishes one as soon as it has handed on the message.
   */
  readonly uniform?: boolean;
}

/** A group of ranks whose rounds are awaited. */
export interface Collective extends ConnectedRanks, AsyncDisposable {
  /** Performs one round together with all other ranks. Rejects with a TransportError if one is lost. */
  perform(round: WireRound): Promise<readonly Uint8Array[]>;
  /**
   * Ends the group because this rank has failed on its own, and tells the others at once: the round in which they wait,
   * or their next one, throws a TransportError with this reason. That error names the rank that the reason names, where
   * the reason is a TransportError about another rank, and else this rank. A group that has failed keeps its first
   * reason.
   */
  abort?(reason: Error): Promise<void>;
}

/** A group of ranks whose rounds block this thread, as `model.fit` needs. */
export interface BlockingCollective extends ConnectedRanks, Disposable {
  /** Performs one round together with all other ranks. Throws a TransportError if one is lost. */
  perform(round: WireRound): readonly Uint8Array[];
  /**
   * Starts a round and returns the function that waits for its reply. No other round may begin before that. Only groups
   * that can exchange while this thread computes have it; of others the round is performed when its reply is needed.
   */
  start?(round: WireRound): () => readonly Uint8Array[];
  /** Ends the group because this rank has failed on its own: see {@link Collective.abort}. */
  abort?(reason: Error): void;
}

/** Returns the messages of all ranks, in rank order. */
export function* allGather(message: Uint8Array): Exchange<readonly Uint8Array[]> {
  return yield { op: "allGather", message };
}

/** Sends `messages[p]` to rank p. Returns what each rank sent to this one, in rank order. */
export function* allToAll(messages: readonly Uint8Array[]): Exchange<readonly Uint8Array[]> {
  return yield { op: "allToAll", messages };
}

/** Replaces the vector by its sum over ranks. */
export function* allReduce(vector: Float32Array): Exchange {
  yield { op: "allReduce", vector };
}

/** Returns the root's message. What other ranks pass as their message is ignored. */
export function* broadcast(root: number, message: Uint8Array): Exchange<Uint8Array> {
  return (yield { op: "broadcast", root, message })[0]!;
}

/** Ends when all ranks have begun it. Moves no message. */
export function* barrier(): Exchange {
  yield { op: "allGather", message: new Uint8Array(0) };
}

/** Writes this rank's gradient at the point `at` into `into`. */
export function* gradientAt(at: Float32Array, into: Float32Array, of: GradientPart = "batch"): Exchange {
  yield { op: "gradient", at, into, of };
}

/** As {@link allGather}, but the exchange goes on while the rank computes, until the generator is resumed. */
export function* allGatherMeanwhile(message: Uint8Array): Exchange<readonly Uint8Array[]> {
  yield { op: "start", round: { op: "allGather", message } };
  return yield { op: "finish" };
}

/**
 * Runs an exchange inside another one. `answer` is given each of its rounds, may yield rounds of its own, and returns
 * the reply: it may pass the round on as it is, change it, count it or refuse it. A driver that gives up ends both.
 *
 * @example
 * ```ts
 * import { allGather, relay, runTogether } from "@gradwire/tfjs/transport";
 * let rounds = 0;
 * const counted = [7, 8].map((byte) => relay(allGather(Uint8Array.of(byte)), function* (round) {
 *   rounds++;
 *   return yield round;
 * }));
 * console.assert(runTogether(counted)[0]!.join() === "7,8" && rounds === 2);
 * ```
 */
export function* relay<R>(
  exchange: Exchange<R>,
  answer: (round: Round) => Exchange<readonly Uint8Array[]>,
): Exchange<R> {
  try {
    let next = exchange.next(nothing);
    while (!next.done) next = exchange.next(yield* answer(next.value));
    return next.value;
  } finally {
    exchange.return(undefined as R);
  }
}

const nothing: readonly Uint8Array[] = [];
