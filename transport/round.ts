/** Rounds (what a method yields) and the three drivers that answer them. @module */

/**
 * One synchronised exchange, which goes over the wire. Replies and the bytes in them are valid until the next round: the
 * buffers are reused.
 */
export type WireRound =
  /** Reply: the messages of all ranks, in rank order. */
  | { readonly op: "allGather"; readonly message: Uint8Array }
  /** Reply: what each rank sent to me (messages[me] of each), in rank order. */
  | { readonly op: "allToAll"; readonly messages: readonly Uint8Array[] }
  /** vector := the sum over ranks, bit-identical on all of them. Reply: empty. */
  | { readonly op: "allReduce"; readonly vector: Float32Array }
  /** Reply: one message, the root's. */
  | { readonly op: "broadcast"; readonly root: number; readonly message: Uint8Array };

/** What a method yields: an exchange, or what its driver answers locally. */
export type Round =
  | WireRound
  /** Answered locally: into := this rank's gradient at the point `at`. Reply: empty. */
  | { readonly op: "gradient"; readonly at: Float32Array; readonly into: Float32Array; readonly of?: GradientPart }
  /** Starts an exchange that goes on while the rank computes. No other until it is finished. Reply: empty. */
  | { readonly op: "start"; readonly round: WireRound }
  /** Waits for the exchange that was started. Reply: its. */
  | { readonly op: "finish" };

/** Of what a gradient is asked for: the batch of this step (default), all of this rank's data, or one of its terms. */
export type GradientPart = "batch" | "all" | number;

/** What a method is: a generator that yields rounds, is sent their replies, and returns R. */
export type Exchange<R = void> = Generator<Round, R, readonly Uint8Array[]>;

/** into := this rank's gradient at the point `at`. Throws a TypeError for a part that it cannot tell apart. */
export type GradientOracle = (at: Float32Array, into: Float32Array, of?: GradientPart) => void;

/** What a group has moved since it was made, in bytes, per rank. */
export interface Traffic {
  /** Rounds performed. */
  rounds: number;
  /**
   * This rank's own messages, each counted once: what papers plot. All-gather: the message; all-to-all: all of them, its
   * own share too; all-reduce: 4 bytes a number; broadcast: the root's message, at the root.
   */
  encodedBytes: number;
  /** Sent by this rank, fan-out and framing included. */
  sentBytes: number;
  /** Received by this rank, framing included. */
  receivedBytes: number;
}

/** Connected ranks, awaited. */
export interface Collective extends AsyncDisposable {
  /** This rank's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks are connected. */
  readonly size: number;
  /** What this rank has moved so far. */
  readonly traffic: Readonly<Traffic>;
  /** Performs one round together with all other ranks. Rejects with a TransportError if one is lost. */
  perform(round: WireRound): Promise<readonly Uint8Array[]>;
  /**
   * Whether every round succeeds on all ranks or fails on all of them. Where it is absent, as over TCP, a rank that is lost
   * in the middle of a round may leave some of the others with that round finished and some without. They are never more
   * than one round apart, for nobody finishes a round before all ranks have begun it; but for broadcasts, which a rank
   * finishes when it has handed on the message.
   */
  readonly uniform?: boolean;
  /**
   * Ends the group because this rank has failed on its own, and tells the others at once: the round in which they wait, or
   * their next one, throws a TransportError with this reason. It names the rank that the reason names, where that is a
   * TransportError about another rank, and else this one. A group that has failed already keeps its first reason.
   */
  abort?(reason: Error): Promise<void>;
}

/** Connected ranks, blocking: what `model.fit` needs. */
export interface BlockingCollective extends Disposable {
  /** This rank's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks are connected. */
  readonly size: number;
  /** What this rank has moved so far. */
  readonly traffic: Readonly<Traffic>;
  /** Performs one round together with all other ranks. Throws a TransportError if one is lost. */
  perform(round: WireRound): readonly Uint8Array[];
  /**
   * Starts a round, if the group can exchange while this thread computes, and returns the function that waits for it. No
   * other round until then. Groups without it perform the round when it is waited for.
   */
  start?(round: WireRound): () => readonly Uint8Array[];
  /**
   * Whether every round succeeds on all ranks or fails on all of them. Where it is absent, as over TCP, a rank that is lost
   * in the middle of a round may leave some of the others with that round finished and some without. They are never more
   * than one round apart, for nobody finishes a round before all ranks have begun it; but for broadcasts, which a rank
   * finishes when it has handed on the message.
   */
  readonly uniform?: boolean;
  /**
   * Ends the group because this rank has failed on its own, and tells the others at once: the round in which they wait, or
   * their next one, throws a TransportError with this reason. It names the rank that the reason names, where that is a
   * TransportError about another rank, and else this one. A group that has failed already keeps its first reason.
   */
  abort?(reason: Error): void;
}

/** The messages of all ranks, in rank order. */
export function* allGather(message: Uint8Array): Exchange<readonly Uint8Array[]> {
  return yield { op: "allGather", message };
}

/** What each rank sent to this one, in rank order. */
export function* allToAll(messages: readonly Uint8Array[]): Exchange<readonly Uint8Array[]> {
  return yield { op: "allToAll", messages };
}

/** vector := the sum over ranks. */
export function* allReduce(vector: Float32Array): Exchange {
  yield { op: "allReduce", vector };
}

/** The root's message. What the other ranks pass is ignored. */
export function* broadcast(root: number, message: Uint8Array): Exchange<Uint8Array> {
  return (yield { op: "broadcast", root, message })[0]!;
}

/** Ends when all ranks have begun it. Moves no message. */
export function* barrier(): Exchange {
  yield { op: "allGather", message: new Uint8Array(0) };
}

/** into := this rank's gradient at `at`. */
export function* gradientAt(at: Float32Array, into: Float32Array, of: GradientPart = "batch"): Exchange {
  yield { op: "gradient", at, into, of };
}

/** The messages of all ranks, in rank order, exchanged while the rank computes: until the generator is resumed. */
export function* allGatherMeanwhile(message: Uint8Array): Exchange<readonly Uint8Array[]> {
  yield { op: "start", round: { op: "allGather", message } };
  return yield { op: "finish" };
}

/** The bytes of a rank's own messages in a round, each counted once: what `Traffic.encodedBytes` adds up. */
export function encodedBytes(round: Round, rank: number): number {
  switch (round.op) {
    case "allGather":
      return round.message.byteLength;
    case "allToAll":
      return round.messages.reduce((sum, { byteLength }) => sum + byteLength, 0);
    case "allReduce":
      return round.vector.byteLength;
    case "broadcast":
      return round.root === rank ? round.message.byteLength : 0;
    case "start":
      return encodedBytes(round.round, rank);
    case "gradient":
    case "finish":
      return 0;
  }
}

/**
 * Runs an exchange inside another one. `answer` is given each of its rounds, may yield rounds of its own, and returns the
 * reply: it may pass the round on as it is, change it, count it or refuse it. A driver that gives up ends both.
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

function noOracle(): never {
  throw new TypeError("Cannot run the exchange: it asks for a gradient, and no gradient oracle was given");
}

function nothingStarted(): never {
  throw new TypeError("Cannot run the exchange: it waits for a round that it has not started");
}

/** Runs an exchange on a blocking group. */
export function runBlocking<R>(
  exchange: Exchange<R>,
  group: BlockingCollective,
  gradient: GradientOracle = noOracle,
): R {
  let finish: (() => readonly Uint8Array[]) | undefined;
  const answer = (round: Round) => {
    if (round.op === "start") {
      const later = round.round;
      finish = group.start?.(later) ?? (() => group.perform(later));
      return nothing;
    }
    if (round.op !== "finish") return answerLocally(round, gradient) ?? group.perform(round as WireRound);
    const finished = finish ?? nothingStarted;
    finish = undefined;
    return finished();
  };
  return unwind(exchange, () => {
    try {
      let next = exchange.next(nothing);
      while (!next.done) next = exchange.next(answer(next.value));
      return next.value;
    } finally {
      // What is under way must end before the group can be used again, or closed.
      if (finish && group.start) attempt(finish);
    }
  });
}

/** Runs an exchange on an awaited group. */
export async function runAsync<R>(
  exchange: Exchange<R>,
  group: Collective,
  gradient: GradientOracle = noOracle,
): Promise<R> {
  let done = false, started: Promise<readonly Uint8Array[]> | undefined;
  const answer = async (round: Round) => {
    if (round.op === "start") {
      started = group.perform(round.round);
      started.catch(() => {}); // Reported when it is waited for.
      return nothing;
    }
    if (round.op !== "finish") return answerLocally(round, gradient) ?? await group.perform(round as WireRound);
    const finished = started ?? nothingStarted();
    started = undefined;
    return await finished;
  };
  try {
    let next = exchange.next(nothing);
    while (!next.done) next = exchange.next(await answer(next.value));
    done = true;
    return next.value;
  } finally {
    await started?.catch(() => {});
    if (!done) exchange.return(undefined as R);
  }
}

/** Performs one round of all ranks: the reply to each rank, in rank order. */
export type Perform = (rounds: readonly WireRound[]) => (readonly Uint8Array[])[];

/**
 * Runs the exchanges of all ranks in this thread, in lockstep.
 *
 * @param gradients the oracle of each rank, for exchanges that ask for gradients
 * @param perform performs the rounds. Default: {@linkcode performTogether}
 * @throws {Error} if the ranks yield different rounds or end at different times
 */
export function runTogether<R>(
  exchanges: readonly Exchange<R>[],
  gradients: readonly GradientOracle[] = [],
  perform: Perform = performTogether,
): R[] {
  try {
    let replies = exchanges.map(() => nothing), started = replies;
    for (;;) {
      const next = exchanges.map((exchange, rank) => {
        let next = exchange.next(replies[rank]!);
        while (!next.done && next.value.op === "gradient") {
          next = exchange.next(answerLocally(next.value, gradients[rank] ?? noOracle)!);
        }
        return next;
      });
      const ends = next.filter(({ done }) => done).length;
      if (ends === next.length) return next.map(({ value }) => value as R);
      if (ends > 0) {
        throw new Error(`Cannot run together: rank ${next.findIndex(({ done }) => done)} ended while others go on`);
      }
      const rounds = next.map(({ value }) => value as Round);
      if (rounds.every((round) => round.op === "start")) {
        started = perform(rounds.map(({ round }) => round));
        replies = exchanges.map(() => nothing);
      } else if (rounds.every(({ op }) => op === "finish")) replies = started;
      else replies = perform(rounds as WireRound[]);
    }
  } catch (error) {
    for (const exchange of exchanges) exchange.return(undefined as R);
    throw error;
  }
}

/** The replies of one round, computed from the rounds of all ranks. */
export function performTogether(rounds: readonly WireRound[]): (readonly Uint8Array[])[] {
  const first = rounds[0]!, odd = rounds.findIndex(({ op }) => op !== first.op);
  if (odd >= 0) {
    throw new Error(`Cannot perform the round: rank 0 asks for ${first.op}, rank ${odd} for ${rounds[odd]!.op}`);
  }
  switch (first.op) {
    case "allGather": {
      const messages = rounds.map((round) => (round as typeof first).message.slice());
      return rounds.map(() => messages);
    }
    case "allToAll":
      return rounds.map((_, to) => rounds.map((round) => (round as typeof first).messages[to]!.slice()));
    case "allReduce": {
      const sum = first.vector.slice();
      rounds.forEach((round, rank) => {
        const { vector } = round as typeof first;
        if (vector.length !== sum.length) {
          throw new RangeError(
            `Cannot all-reduce: rank ${rank} has ${vector.length} numbers, rank 0 has ${sum.length}`,
          );
        }
        if (rank > 0) vector.forEach((value, i) => sum[i]! += value);
      });
      for (const round of rounds) (round as typeof first).vector.set(sum);
      return rounds.map(() => nothing);
    }
    case "broadcast": {
      const message = [(rounds[first.root] as typeof first).message.slice()];
      return rounds.map(() => message);
    }
  }
}

function answerLocally(round: Round, gradient: GradientOracle): readonly Uint8Array[] | undefined {
  if (round.op !== "gradient") return undefined;
  gradient(round.at, round.into, round.of ?? "batch");
  return nothing;
}

/** Runs `body`; if it throws, ends the exchange so that its `finally` blocks run. */
function unwind<R>(exchange: Exchange<R>, body: () => R): R {
  let done = false;
  try {
    const result = body();
    done = true;
    return result;
  } finally {
    if (!done) exchange.return(undefined as R);
  }
}

/** Runs `body`, whatever comes of it. */
function attempt(body: () => unknown): void {
  try {
    body();
  } catch {
    // The error that led here is thrown on.
  }
}
