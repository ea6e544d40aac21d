/** What runs exchanges: on a blocking group, on an awaited one, or all ranks together in this thread. @module */

import { addInOrder } from "./collective/sum.ts";
import { opOf, rootOf, sentMessages } from "./ops.ts";
import type { BlockingCollective, Collective, Exchange, GradientOracle, Round, WireRound } from "./round.ts";

type Reply = readonly Uint8Array[];

const nothing: Reply = [];

/**
 * Runs an exchange on a blocking group.
 *
 * @param gradient this rank's gradients, for an exchange that asks for them
 * @returns what the exchange returns
 * @throws {TransportError} if a rank is lost
 * @throws {TypeError} if the exchange asks for a gradient and there is no oracle, or waits for what it has not started
 * @example
 * ```ts
 * import { allGather, alone, runBlocking } from "@gradwire/tfjs/transport";
 * using group = alone();
 * const messages = runBlocking(allGather(Uint8Array.of(7)), group);
 * console.assert(messages.length === group.size);
 * ```
 */
export function runBlocking<R>(
  exchange: Exchange<R>,
  group: BlockingCollective,
  gradient: GradientOracle = noOracle,
): R {
  const rounds = withGradients(exchange, gradient), perform = (round: WireRound) => group.perform(round);
  const started = startedRound<Reply>((round) => group.start?.(round) ?? (() => perform(round)));
  try {
    let next = rounds.next(nothing);
    while (!next.done) next = rounds.next(answer(next.value, perform, started, nothing));
    return next.value;
  } finally {
    // A round that is under way must end before the group can be used again, or closed.
    if (group.start) attempt(started.abandon);
    exchange.return(undefined as R); // One that has not ended cleans up.
  }
}

/**
 * Runs an exchange on an awaited group. Parameters, result and errors are those of {@link runBlocking}.
 *
 * @example
 * ```ts
 * import { allGather, collective, memory, runAsync } from "@gradwire/tfjs/transport";
 * await using group = collective(memory(1)[0]!);
 * const messages = await runAsync(allGather(Uint8Array.of(7)), group);
 * console.assert(messages.length === group.size);
 * ```
 */
export async function runAsync<R>(
  exchange: Exchange<R>,
  group: Collective,
  gradient: GradientOracle = noOracle,
): Promise<R> {
  const rounds = withGradients(exchange, gradient), perform = (round: WireRound) => group.perform(round);
  const started = startedRound<Promise<Reply> | Reply>((round) => {
    const reply = perform(round);
    reply.catch(() => {}); // A failure is thrown where the reply is waited for.
    return () => reply;
  });
  try {
    let next = rounds.next(nothing);
    while (!next.done) next = rounds.next(await answer(next.value, perform, started, nothing));
    return next.value;
  } finally {
    await Promise.resolve(started.abandon()).catch(() => {});
    exchange.return(undefined as R);
  }
}

/** Performs one round of all ranks. Returns each rank's reply, in rank order. */
export type Perform = (rounds: readonly WireRound[]) => (readonly Uint8Array[])[];

/**
 * Runs the exchanges of all ranks in this thread, in lockstep.
 *
 * @param gradients the oracle of each rank, for exchanges that ask for gradients
 * @param perform performs the rounds. Default: {@link performTogether}
 * @returns what each rank's exchange returns
 * @throws {Error} if the ranks yield different rounds or end at different times
 * @example
 * ```ts
 * import { allReduce, runTogether } from "@gradwire/tfjs/transport";
 * const vectors = [Float32Array.of(1), Float32Array.of(2)];
 * runTogether(vectors.map((vector) => allReduce(vector)));
 * console.assert(vectors.every(([sum]) => sum === 3));
 * ```
 */
export function runTogether<R>(
  exchanges: readonly Exchange<R>[],
  gradients: readonly GradientOracle[] = [],
  perform: Perform = performTogether,
): R[] {
  const ranks = exchanges.map((exchange, rank) => withGradients(exchange, gradients[rank] ?? noOracle));
  try {
    let replies = ranks.map(() => nothing), started = replies;
    for (;;) {
      const next = ranks.map((rounds, rank) => rounds.next(replies[rank]!));
      const ends = next.filter(({ done }) => done).length;
      if (ends === next.length) return next.map(({ value }) => value as R);
      if (ends > 0) {
        throw new Error(`Cannot run together: rank ${next.findIndex(({ done }) => done)} ended while others go on`);
      }
      const rounds = next.map(({ value }) => value as Round);
      if (rounds.every((round) => round.op === "start")) {
        started = perform(rounds.map(({ round }) => round));
        replies = ranks.map(() => nothing);
      } else if (rounds.every(({ op }) => op === "finish")) replies = started;
      else replies = perform(rounds as WireRound[]);
    }
  } finally {
    for (const exchange of exchanges) exchange.return(undefined as R);
  }
}

/**
 * Performs one round of all ranks in this thread: the definition that every transport is compared with.
 *
 * @param rounds what each rank asks for. The vectors of an all-reduce become their sum, added in rank order
 * @returns each rank's reply
 * @throws {Error} if the ranks ask for different ops or roots
 * @throws {RangeError} if the vectors of an all-reduce differ in length
 */
export function performTogether(rounds: readonly WireRound[]): (readonly Uint8Array[])[] {
  const first = rounds[0]!, { op } = first, root = rootOf(first);
  rounds.forEach((round, rank) => {
    if (round.op !== op) {
      throw new Error(`Cannot perform the round: rank 0 asks for ${op}, rank ${rank} for ${round.op}`);
    }
    if (rootOf(round) === root) return;
    throw new Error(`Cannot perform ${op}: the root is rank ${root} to rank 0, rank ${rootOf(round)} to rank ${rank}`);
  });
  if (first.op === "allReduce") {
    const vectors = rounds.map((round) => (round as typeof first).vector), sum = new Float32Array(first.vector.length);
    const odd = vectors.findIndex(({ length }) => length !== sum.length);
    if (odd >= 0) {
      throw new RangeError(
        `Cannot all-reduce: rank ${odd} has ${vectors[odd]!.length} numbers, rank 0 has ${sum.length}`,
      );
    }
    addInOrder(vectors, sum);
    for (const vector of vectors) vector.set(sum);
    return rounds.map(() => nothing);
  }
  const sent = rounds.map((round, rank) => sentMessages(round, rank).map((message) => message.slice()));
  if (opOf(op).reply === "own") return rounds.map((_, to) => sent.map((messages) => messages[to]!));
  const all = sent.flat();
  return rounds.map(() => all);
}

/** The rounds of an exchange but for its gradients, which are answered here. The caller ends the exchange. */
function* withGradients<R>(exchange: Exchange<R>, gradient: GradientOracle): Exchange<R> {
  let next = exchange.next(nothing);
  while (!next.done) {
    const round = next.value;
    if (round.op === "gradient") {
      gradient(round.at, round.into, round.of ?? "batch");
      next = exchange.next(nothing);
    } else next = exchange.next(yield round);
  }
  return next.value;
}

/** The one round that may be under way while the rank computes. */
interface StartedRound<R> {
  start(round: WireRound): void;
  /** Waits for the round and returns its reply. */
  finish(): R;
  /** Waits for the round, if there is one. */
  abandon(): R | undefined;
}

/** @param begin begins a round and returns what waits for its reply */
function startedRound<R>(begin: (round: WireRound) => () => R): StartedRound<R> {
  let wait: (() => R) | undefined;
  const abandon = () => {
    const waiting = wait;
    wait = undefined;
    return waiting?.();
  };
  return {
    start: (round) => void (wait = begin(round)),
    finish: () => wait ? abandon()! : nothingStarted(),
    abandon,
  };
}

function answer<R>(round: Round, perform: (round: WireRound) => R, started: StartedRound<R>, empty: R): R {
  if (round.op === "start") {
    started.start(round.round);
    return empty;
  }
  return round.op === "finish" ? started.finish() : perform(round as WireRound);
}

function noOracle(): never {
  throw new TypeError("Cannot run the exchange: it asks for a gradient, and no gradient oracle was given");
}

function nothingStarted(): never {
  throw new TypeError("Cannot run the exchange: it waits for a round that it has not started");
}

/** Runs `body`, whatever comes of it: the error that led here is thrown on. */
function attempt(body: () => unknown): void {
  try {
    body();
  } catch {
    // Another error is under way.
  }
}
