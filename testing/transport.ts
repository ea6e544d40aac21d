/** The conformance suite of transports. @module */

import fc from "../dependencies/fast_check.ts";
import { type Transport, TransportError } from "../transport/transport.ts";
import { ends, expect, lost, pattern, pause, rejects } from "./expect.ts";
import type { Property } from "./property.ts";

/** Options of {@link transportProperties}. */
export interface TransportPropertiesOptions {
  /** The length of the longest message, in bytes. Default 64 MiB. */
  readonly longest?: number;
  /** How many random cases each random claim is held to. Default 10. */
  readonly runs?: number;
  /** How long a peer's end may take to be noticed, in milliseconds. Default 5 000. */
  readonly patience?: number;
}

/**
 * What a transport must satisfy, as named checks: messages of any length arrive complete, unaltered and in order, in
 * both directions at once, and what waits for a peer that has left ends in an error that names it.
 *
 * @param make connects `size` ranks, all within this process, and returns their transports in rank order
 * @returns the checks, for any test runner
 * @example
 * ```ts
 * import { transportProperties } from "@gradwire/tfjs/testing"; import { memory } from "@gradwire/tfjs/transport"; for
 * (const { name, check } of transportProperties(memory, { longest: 1 << 20 })) await check(); // Deno.test(name, check)
 * ```
 */
export function transportProperties(
  make: (size: number) => readonly Transport[] | Promise<readonly Transport[]>,
  { longest = 1 << 26, runs = 10, patience = 5000 }: TransportPropertiesOptions = {},
): Property[] {
  async function connected(size: number, body: (ranks: readonly Transport[]) => Promise<void>): Promise<void> {
    const ranks = await make(size);
    try {
      await ends(body(ranks), patience + 60_000);
    } finally {
      await Promise.all(ranks.map((rank) => rank[Symbol.asyncDispose]()));
    }
  }
  const pair = (body: (first: Transport, second: Transport) => Promise<void>) => () =>
    connected(2, (ranks) => body(ranks[0]!, ranks[1]!));

  return [
    {
      name: "ranks know their number and how many they are",
      check: async () => {
        for (const size of [1, 2, 3, 5]) {
          await connected(size, async (ranks) => {
            expect(ranks.length === size, `${size} transports, received ${ranks.length}`);
            ranks.forEach((transport, rank) => {
              expect(transport.rank === rank, `rank ${rank}, received ${transport.rank}`);
              expect(transport.size === size, `size ${size}, received ${transport.size}`);
            });
            await Promise.resolve();
          });
        }
      },
    },
    {
      name: "messages between all pairs arrive complete, unaltered and in order",
      check: () =>
        connected(3, async (ranks) => {
          const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(5000), fc.nat(300_000)), { maxLength: 8 });
          await fc.assert(
            fc.asyncProperty(fc.array(lengths, { minLength: 6, maxLength: 6 }), fc.nat(), async (plan, seed) => {
              const links = plan.map((lengths, i) => {
                const from = Math.floor(i / 2), to = (from + 1 + i % 2) % 3;
                return { from, to, lengths };
              });
              await Promise.all(links.flatMap(({ from, to, lengths }) => [
                sequence(lengths, (length, i) => ranks[from]!.send(to, pattern(length, seed + i + 10 * from))),
                sequence(lengths, async (length, i) => {
                  same(await ranks[to]!.receive(from), length, seed + i + 10 * from);
                }),
              ]));
            }),
            // fast-check looks for no smaller case: what the failed one leaves on the way would fail it, too.
            { numRuns: runs, seed: 1, endOnFailure: true },
          );
        }),
    },
    {
      name: "an empty message is a message",
      check: pair(async (first, second) => {
        for (const length of [0, 0, 3, 0]) await first.send(1, pattern(length, 1));
        for (const length of [0, 0, 3, 0]) same(await second.receive(0), length, 1);
      }),
    },
    {
      name: `a message of ${longest} bytes arrives, in both directions at once`,
      check: pair(async (first, second) => {
        const message = pattern(longest, 5);
        await Promise.all([
          first.send(1, message),
          second.send(0, message),
          first.receive(1).then((message) => same(message, longest, 5)),
          second.receive(0).then((message) => same(message, longest, 5)),
        ]);
      }),
    },
    {
      name: "5 000 small messages arrive in order, in both directions at once",
      check: pair(async (first, second) => {
        const lengths = Array.from({ length: 5000 }, (_, i) => 4 + i % 9);
        const talk = (mine: Transport, peer: number) => [
          sequence(lengths, (length, i) => mine.send(peer, pattern(length, i))),
          sequence(lengths, async (length, i) => same(await mine.receive(peer), length, i)),
        ];
        await Promise.all([...talk(first, 1), ...talk(second, 0)]);
      }),
    },
    {
      name: "receives that were begun before the sends get the messages in order",
      check: pair(async (first, second) => {
        const received = [0, 1, 2].map(async (i) => same(await second.receive(0), 50, i));
        await sequence([50, 50, 50], (length, i) => first.send(1, pattern(length, i)));
        await Promise.all(received);
      }),
    },
    {
      name: "a message may be changed once its send has resolved",
      check: pair(async (first, second) => {
        for (const length of [10, 100_000, 2_000_000]) {
          const message = pattern(length, 3), received = second.receive(0);
          await first.send(1, message);
          message.fill(0);
          same(await received, length, 3);
        }
      }),
    },
    {
      name: "received bytes stay as they are until the next receive from that rank",
      check: () =>
        connected(3, async (ranks) => {
          await ranks[0]!.send(2, pattern(1000, 1));
          await ranks[0]!.send(2, pattern(1000, 2));
          await ranks[1]!.send(2, pattern(1000, 3));
          const message = await ranks[2]!.receive(0);
          same(await ranks[2]!.receive(1), 1000, 3);
          same(message, 1000, 1);
          same(await ranks[2]!.receive(0), 1000, 2);
        }),
    },
    {
      name: "what was sent before the sender left is received; then the receive rejects and names the sender",
      check: pair(async (first, second) => {
        await first.send(1, pattern(100, 1));
        await first.send(1, pattern(200_000, 2));
        const leaving = first[Symbol.asyncDispose]();
        await pause(50); // The news of the end may arrive before the first receive.
        same(await second.receive(0), 100, 1);
        same(await second.receive(0), 200_000, 2);
        await lost(second.receive(0), 0, patience);
        await lost(second.receive(0), 0, patience);
        await leaving;
        await lost(second.send(0, pattern(1, 1)), 0, patience);
      }),
    },
    {
      name: "leaving wakes the receives that are pending, on both sides",
      check: () =>
        connected(3, async (ranks) => {
          const pending = [lost(ranks[0]!.receive(1), 1, patience), lost(ranks[2]!.receive(1), 1, patience)];
          const own = lost(ranks[1]!.receive(0), undefined, patience);
          await pause(20);
          await ranks[1]![Symbol.asyncDispose]();
          await Promise.all([...pending, own]);
          // The others still have each other.
          await ranks[0]!.send(2, pattern(10, 1));
          same(await ranks[2]!.receive(0), 10, 1);
        }),
    },
    {
      name: "an abort, where there is one, tells the peers whom to blame",
      check: () =>
        connected(3, async (ranks) => {
          if (!ranks[0]!.abort) return;
          const pending = [lost(ranks[0]!.receive(1), 2, patience), lost(ranks[2]!.receive(1), 2, patience)];
          await pause(20);
          await ranks[1]!.abort!(new TransportError("rank 2 sleeps", { rank: 2 }));
          await Promise.all(pending);
        }),
    },
    {
      name: "a rank that does not exist is refused",
      check: pair(async (first) => {
        for (const peer of [-1, 2, 0.5]) {
          await rejects(first.send(peer, pattern(1, 1)), `send to rank ${peer}`, patience);
          await rejects(first.receive(peer), `receive from rank ${peer}`, patience);
        }
      }),
    },
    {
      name: "disposing of it twice does no harm",
      check: pair(async (first) => {
        await first[Symbol.asyncDispose]();
        await first[Symbol.asyncDispose]();
      }),
    },
  ];
}

/** Throws if the bytes are not {@link pattern}'s. */
function same(message: Uint8Array, length: number, seed: number): void {
  expect(message.byteLength === length, `${length} bytes, received ${message.byteLength}`);
  const expected = pattern(length, seed);
  for (let i = 0; i < length; i++) {
    if (message[i] !== expected[i]) {
      expect(false, `byte ${i} of ${length} to be ${expected[i]}, received ${message[i]}`);
    }
  }
}

async function sequence(lengths: readonly number[], each: (length: number, i: number) => Promise<void>): Promise<void> {
  for (const [i, length] of lengths.entries()) await each(length, i);
}
