/** The conformance suite of groups. @module */

import fc from "../dependencies/fast_check.ts";
import type { Collective, WireRound } from "../transport/round.ts";
import { encodedBytes, messagesOf, opNames } from "../transport/ops.ts";
import { performTogether } from "../transport/drivers.ts";
import { TransportError } from "../transport/transport.ts";
import type { Property } from "./property.ts";
import { bytesOf } from "../bytes.ts";
import { ends, expect, lost, pattern, pause, rejects } from "./expect.ts";
import { copyOf, equal, equalBytes, roundsOf } from "./wire_rounds.ts";

/** Connected ranks under test. */
export interface Ranks {
  /**
   * The ranks' groups, in rank order. A blocking group is wrapped: its own thread performs, and a promise tells the
   * result.
   */
  readonly groups: readonly Collective[];
  /** Ends a rank as an accident would. Default: it is disposed of. */
  kill?(rank: number): void | Promise<void>;
}

/** Options of {@link collectiveProperties}. */
export interface CollectivePropertiesOptions {
  /** The group sizes that are tried. Default 1 to 8. */
  readonly sizes?: readonly number[];
  /** The lengths that are tried: bytes of a message, numbers of a vector. Default: some from 0 to 300 007. */
  readonly lengths?: readonly number[];
  /**
   * The deadline that claims about failures ask `make` for, in milliseconds. Most of the suite's time is waiting for
   * it. Default 500.
   */
  readonly timeout?: number;
  /** How much longer than `timeout` a failure may take, in milliseconds. Default 3 000. */
  readonly patience?: number;
  /** How many random cases each random claim is held to. Default 10. */
  readonly runs?: number;
  /** Whether sums are taken in rank order, so that they have the bits of {@link performTogether}. Default false. */
  readonly inRankOrder?: boolean;
  /** The bytes that `rank` should send and receive in a round, given the rounds of all ranks. Default: not checked. */
  traffic?(rounds: readonly WireRound[], rank: number): { readonly sentBytes: number; readonly receivedBytes: number };
}

const someLengths = [0, 1, 2, 3, 7, 8, 9, 64, 1000, 8191, 8192, 8193, 70_001, 300_007];

/**
 * What a group must satisfy, as named checks:
 *
 * - every op, at every length and on every size, gives the replies of {@link performTogether}: sums of integers are
 *   exact, and sums of any numbers have the same bits on all ranks;
 * - traffic is counted, and is as documented where that is given;
 * - a failure is noticed by every other rank in time, names the rank to blame, and leaves vectors as they were. That is
 *   so for a rank that is killed, that aborts or that does not take part, and for ranks that ask for different rounds.
 *
 * @param make connects `size` ranks whose rounds fail after `timeout` milliseconds
 * @returns the checks, for any test runner. They run one after the other: each of them connects groups and disposes of
 *   them
 * @example
 * ```ts
 * import { collectiveProperties } from "@gradwire/tfjs/testing";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const make = (size: number, timeout: number) => ({
 *   groups: memory(size).map((transport) => collective(transport, { timeout })),
 * });
 * for (const { name, check } of collectiveProperties(make, { sizes: [2] })) await check(); // Deno.test(name, check)
 * ```
 */
export function collectiveProperties(
  make: (size: number, timeout: number) => Ranks | Promise<Ranks>,
  options: CollectivePropertiesOptions = {},
): Property[] {
  const { sizes = [1, 2, 3, 4, 5, 6, 7, 8], lengths = someLengths, runs = 10, timeout = 500, patience = 3000 } =
    options;
  const { inRankOrder = false } = options;
  const several = sizes.filter((size) => size > 1), some = several.includes(3) ? 3 : several.at(-1);
  const soon = timeout + patience;

  async function connected(
    size: number,
    timeout: number,
    body: (groups: readonly Collective[], kill: (rank: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const ranks = await make(size, timeout), { groups } = ranks;
    try {
      const kill = async (rank: number) => await (ranks.kill?.(rank) ?? groups[rank]![Symbol.asyncDispose]());
      await ends(body(groups, kill), timeout + 60_000);
    } finally {
      await Promise.all(groups.map((group) => group[Symbol.asyncDispose]()));
    }
  }

  /** Performs a round on all ranks and compares with the model: replies, vectors, what may not change, and traffic. */
  async function agree(groups: readonly Collective[], rounds: readonly WireRound[]): Promise<void> {
    const before = groups.map(({ traffic }) => ({ ...traffic }));
    const expected = rounds.map(copyOf), replies = performTogether(expected);
    const encoded = rounds.map((round, rank) => encodedBytes(round, rank));
    const received = await Promise.all(groups.map((group, rank) => group.perform(rounds[rank]!)));
    groups.forEach((group, rank) => {
      const what = `${rounds[rank]!.op} on rank ${rank} of ${groups.length}`, mine = received[rank]!;
      equal(mine.length, replies[rank]!.length, `${what}: replies`);
      replies[rank]!.forEach((reply, from) => equalBytes(mine[from]!, reply, `${what}: the reply from ${from}`));
      messagesOf(rounds[rank]!).forEach((message, i) => {
        equalBytes(
          message,
          messagesOf(expected[rank]!)[i]!,
          `${what}: ${rounds[rank]!.op === "allReduce" ? "sum" : "own message"}`,
        );
      });
      equal(group.traffic.rounds - before[rank]!.rounds, 1, `${what}: rounds`);
      equal(group.traffic.encodedBytes - before[rank]!.encodedBytes, encoded[rank]!, `${what}: encoded bytes`);
      if (!options.traffic) return;
      const { sentBytes, receivedBytes } = options.traffic(rounds, rank);
      equal(group.traffic.sentBytes - before[rank]!.sentBytes, sentBytes, `${what}: sent bytes`);
      equal(group.traffic.receivedBytes - before[rank]!.receivedBytes, receivedBytes, `${what}: received bytes`);
    });
  }

  const properties: Property[] = sizes.flatMap((size) => [
    {
      name: `size ${size}: every op at every length, exact sums${options.traffic ? ", documented traffic" : ""}`,
      check: () =>
        connected(size, 30_000, async (groups) => {
          equal(groups.length, size, "groups");
          groups.forEach((group, rank) => {
            equal(group.rank, rank, "rank");
            equal(group.size, size, "size");
          });
          for (const op of opNames) {
            for (const length of lengths) await agree(groups, roundsOf(op, groups.length, length, length % size, 3));
          }
        }),
    },
    {
      name: `size ${size}: any rounds in any order, with messages of different lengths`,
      check: () =>
        connected(size, 30_000, (groups) =>
          fc.assert(
            fc.asyncProperty(
              fc.array(
                fc.record({
                  op: fc.constantFrom(...opNames),
                  length: fc.oneof(fc.nat(40), fc.nat(40_000)),
                  root: fc.nat(size - 1),
                  spread: fc.nat(300),
                }),
                { minLength: 1, maxLength: 6 },
              ),
              async (plan) => {
                for (const { op, length, root, spread } of plan) {
                  await agree(groups, roundsOf(op, size, length, root, spread));
                }
              },
            ),
            // fast-check looks for no smaller case: what the failed one leaves in the group would fail it, too.
            { numRuns: runs, seed: 1, endOnFailure: true },
          )),
    },
  ]);
  if (some === undefined) return properties;

  /**
   * All ranks but `culprit` begin a round. All of them must fail, name the culprit, and leave their vectors as they
   * were.
   */
  async function allBlame(
    groups: readonly Collective[],
    culprit: number,
    accident: () => Promise<void>,
    within = soon,
  ): Promise<void> {
    const others = groups.filter(({ rank }) => rank !== culprit);
    const vectors = others.map(() => new Float32Array(20_000).fill(1));
    const failing = others.map((group, i) =>
      lost(group.perform({ op: "allReduce", vector: vectors[i]! }), culprit, within)
    );
    await accident();
    await Promise.all(failing);
    expect(vectors.every((vector) => vector.every((value) => value === 1)), "the vectors to be as they were");
    // The group has ended for good: nobody exchanges with half of it.
    await Promise.all(
      others.map((group) => lost(group.perform({ op: "allGather", message: pattern(1, 1) }), culprit, soon)),
    );
  }

  return [
    ...properties,
    {
      name: "sums of floats have the same bits on all ranks",
      check: async () => {
        for (const size of several) {
          await connected(size, 30_000, async (groups) => {
            for (const length of [5, 9000, 100_003]) {
              const vectors = groups.map(({ rank }) =>
                Float32Array.from({ length }, (_, i) => (((i + 1) * (rank + 3) * 7919) % 10_007) / 3 ** (i % 20) - rank)
              );
              const model = vectors.map((vector): WireRound => ({ op: "allReduce", vector: vector.slice() }));
              performTogether(model);
              await Promise.all(
                groups.map((group, rank) => group.perform({ op: "allReduce", vector: vectors[rank]! })),
              );
              const [first] = messagesOf(model[0]!);
              vectors.forEach((vector, rank) => {
                const what = `sum of ${length} floats on rank ${rank} of ${size}`;
                equalBytes(bytesOf(vector), inRankOrder ? first! : bytesOf(vectors[0]!), what);
              });
            }
          });
        }
      },
    },
    {
      name: "a killed rank fails the others in time, by name, and leaves their vectors as they were",
      check: async () => {
        for (const culprit of [0, some - 1]) {
          await connected(some, 30_000, async (groups, kill) => {
            await agree(groups, roundsOf("allGather", some, 10, 0, 3));
            await allBlame(groups, culprit, async () => {
              await pause(50);
              await kill(culprit);
            });
          });
        }
      },
    },
    {
      name: "a rank that is killed between rounds fails the next round of the others, by name",
      check: () =>
        connected(some, 10 * timeout, async (groups, kill) => {
          await agree(groups, roundsOf("allReduce", some, 1000, 0, 3));
          await kill(1);
          await pause(50);
          await allBlame(groups, 1, () => Promise.resolve(), 10 * timeout + patience);
        }),
    },
    {
      name: "an abort, where there is one, fails the others at once, with its reason and the rank that it names",
      check: async () => {
        for (
          const [named, reason] of [[1, new Error("no space")], [0, new TransportError("gone", { rank: 0 })]] as const
        ) {
          await connected(some, 30_000, async (groups) => {
            await agree(groups, roundsOf("allGather", some, 10, 0, 3));
            if (!groups[1]!.abort) return;
            const others = groups.filter(({ rank }) => rank !== 1);
            const failing = others.map((group) =>
              lost(group.perform({ op: "allGather", message: pattern(1, 1) }), named, soon)
            );
            await pause(50);
            await groups[1]!.abort(reason);
            await Promise.all(failing);
            for (const group of groups) {
              const error = await rejects(group.perform({ op: "allGather", message: pattern(1, 1) }), "a round", soon);
              expect(
                (error as Error).message.includes(reason.message),
                `the reason ${reason.message}, received ${error}`,
              );
            }
            await groups[1]!.abort(new Error("another reason")); // Harmless: the first one stays.
          });
        }
      },
    },
    {
      name: "a rank that does not take part fails the others within the deadline, by name",
      check: async () => {
        await connected(some, timeout, (groups) => allBlame(groups, some - 1, () => Promise.resolve()));
        for (const op of ["allGather", "allToAll"] as const) {
          await connected(some, timeout, async (groups) => {
            const rounds = roundsOf(op, some, 100, 0, 3);
            await Promise.all(groups.slice(1).map((group, i) => lost(group.perform(rounds[i + 1]!), 0, soon)));
          });
        }
      },
    },
    {
      name: "a root that does not broadcast is named by all, however far they are from it",
      check: async () => {
        for (const size of new Set([some, several.at(-1)!])) {
          await connected(size, timeout, async (groups) => {
            const root = size - 1, message = pattern(10, 1);
            await Promise.all(
              groups.slice(0, root).map((group) => lost(group.perform({ op: "broadcast", root, message }), root, soon)),
            );
          });
        }
      },
    },
    {
      name: "a rank that is late, but within the deadline, fails nobody",
      check: () =>
        connected(some, 20 * timeout, async (groups) => {
          const rounds = roundsOf("allReduce", some, 100, 0, 3);
          const early = groups.slice(1).map((group) => group.perform(rounds[group.rank]!));
          const late = pause(2 * timeout).then(() => groups[0]!.perform(rounds[0]!));
          // All are waited for, so that nothing is under way when the claim has failed.
          const results = await Promise.allSettled([...early, late]);
          for (const result of results) if (result.status === "rejected") throw result.reason;
        }),
    },
    {
      name: "ranks that ask for different ops, lengths or roots all fail, and leave their vectors as they were",
      check: async () => {
        const vector = (length: number): WireRound => ({ op: "allReduce", vector: new Float32Array(length).fill(1) });
        const root = (root: number): WireRound => ({ op: "broadcast", root, message: pattern(10, 1) });
        const gather: WireRound = { op: "allGather", message: pattern(40, 1) };
        for (
          const [usual, odd] of [[gather, vector(10)], [vector(10), vector(11)], [vector(30_000), vector(29_999)], [
            root(0),
            root(1),
          ]]
        ) {
          await connected(some, 10 * timeout, async (groups) => {
            const rounds = groups.map(({ rank }) => copyOf(rank === some - 1 ? odd! : usual!));
            await Promise.all(groups.map(async (group, rank) => {
              // A root has nothing to wait for: it may learn of it one round later.
              const work = (async () => {
                await group.perform(rounds[rank]!);
                await group.perform(gather);
              })();
              await rejects(work, `${usual!.op} beside ${odd!.op}`, 20 * timeout + patience);
            }));
            for (const round of rounds) {
              if (round.op === "allReduce") {
                expect(round.vector.every((value) => value === 1), "the vector to be as it was");
              }
            }
          });
        }
      },
    },
    {
      name: "what is wrong with a round is told before anything is sent: the group goes on",
      check: () =>
        connected(some, 30_000, async (groups) => {
          for (const group of groups) {
            await refused(group, { op: "broadcast", root: some, message: pattern(1, 1) });
            await refused(group, { op: "broadcast", root: -1, message: pattern(1, 1) });
            await refused(group, { op: "allToAll", messages: [] });
          }
          await agree(groups, roundsOf("allGather", some, 10, 0, 3));
        }),
    },
    {
      name: "a group that was disposed of refuses rounds; disposing of it twice does no harm",
      check: () =>
        connected(some, timeout, async (groups) => {
          await groups[0]![Symbol.asyncDispose]();
          await groups[0]![Symbol.asyncDispose]();
          await rejects(groups[0]!.perform({ op: "allGather", message: pattern(1, 1) }), "a round after the end", soon);
        }),
    },
  ];

  async function refused(group: Collective, round: WireRound): Promise<void> {
    const error = await rejects(group.perform(round), `${round.op}`, soon);
    expect(!(error instanceof TransportError), `an error of the caller's, received ${error}`);
  }
}
