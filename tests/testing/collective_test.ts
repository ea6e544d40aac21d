/** Each check of the suite of groups by itself: a group with one fault, and what the suite says of it. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { collectiveProperties, type CollectivePropertiesOptions, collectiveTraffic } from "../../testing/mod.ts";
import { type Collective, collective, memory, TransportError, type WireRound } from "../../transport/mod.ts";

type Make = (size: number, timeout: number) => { groups: readonly Collective[] };

/** Groups over memory, each with what `change` makes of it. */
function faulty(change: (inner: Collective, timeout: number) => Partial<Collective>): Make {
  return (size, timeout) => ({
    groups: memory(size).map((transport) =>
      changed(collective(transport, { timeout }), (inner) => change(inner, timeout))
    ),
  });
}

function changed(inner: Collective, change: (inner: Collective) => Partial<Collective>): Collective {
  const own = change(inner);
  return new Proxy(inner, {
    get(_, name: keyof Collective) {
      if (Object.hasOwn(own, name)) return own[name];
      const value = inner[name];
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
}

/** Groups whose rounds end as `end` says: it may change the round, and gives the replies. */
const ending = (end: (round: WireRound, replies: readonly Uint8Array[], rank: number) => readonly Uint8Array[]) =>
  faulty((inner) => ({ perform: async (round) => end(round, await inner.perform(round), inner.rank) }));

/** Groups whose failures are what `fail` makes of them. */
const failing = (fail: (error: TransportError, round: WireRound, inner: Collective) => readonly Uint8Array[]) =>
  faulty((inner) => ({
    perform: (round) => inner.perform(round).catch((error) => fail(error, round, inner)),
  }));

/** Groups whose sums are taken in the order that a rank gives, from the messages of all. */
const summing = (order: (ranks: number[], rank: number) => number[]) =>
  faulty((inner) => ({
    async perform(round) {
      if (round.op !== "allReduce") return await inner.perform(round);
      const { vector } = round, bytes = new Uint8Array(vector.slice().buffer);
      const replies = await inner.perform({ op: "allGather", message: bytes });
      vector.fill(0);
      for (const rank of order([...replies.keys()], inner.rank)) {
        new Float32Array(replies[rank]!.slice().buffer).forEach((value, i) => vector[i]! += value);
      }
      return [];
    },
  }));

const counting = (count: (traffic: Collective["traffic"]) => Partial<Collective["traffic"]>) =>
  faulty((inner) => ({
    get traffic() {
      return { ...inner.traffic, ...count(inner.traffic) };
    },
  }));

const never = () => new Promise<never>(() => {});
const blaming = (rank: number) => new TransportError("lost", { rank });
const everyOp = "size 3: every op", killed = "a killed rank fails", aborted = "an abort, where there is one";

/** What is wrong, the groups, the check that fails, what it says, and what it is told. */
const faults: [what: string, Make, check: string, says: RegExp, CollectivePropertiesOptions?][] = [
  [
    "are one too few",
    (size, timeout) => ({
      groups: memory(size).slice(1).map((transport) => collective(transport, { timeout })),
    }),
    everyOp,
    /groups to be 3, received 2/,
  ],
  ["do not know their rank", faulty(() => ({ rank: 0 })), everyOp, /rank to be 1, received 0/],
  ["do not know their size", faulty(() => ({ size: 9 })), everyOp, /size to be 3, received 9/],
  [
    "add one too much on the last rank",
    ending((round, replies, rank) => {
      if (round.op === "allReduce" && rank === 2 && round.vector.length > 0) {
        round.vector[round.vector.length - 1]! += 1;
      }
      return replies;
    }),
    everyOp,
    /allReduce on rank 2 of 3: sum: byte/,
  ],
  [
    "give the messages in another order",
    ending((round, replies) => round.op === "allGather" ? replies.toReversed() : replies),
    everyOp,
    /allGather on rank 0 of 3: the reply from 0/,
  ],
  [
    "give one message too many",
    ending((round, replies) => round.op === "allToAll" ? [...replies, replies[0]!] : replies),
    everyOp,
    /allToAll on rank 0 of 3: replies to be 3, received 4/,
  ],
  [
    "write into the message that they are given",
    ending((round, replies) => {
      if (round.op === "broadcast") round.message.fill(0);
      return replies;
    }),
    everyOp,
    /broadcast on rank \d of 3: own message: byte/,
  ],
  ["do not count rounds", counting(() => ({ rounds: 0 })), everyOp, /rounds to be 1, received 0/],
  [
    "count a message as twice its bytes",
    counting(({ encodedBytes }) => ({ encodedBytes: 2 * encodedBytes })),
    everyOp,
    /encoded bytes to be/,
  ],
  ["do not count what they send", counting(() => ({ sentBytes: 0 })), everyOp, /sent bytes to be/],
  ["do not count what they receive", counting(() => ({ receivedBytes: 0 })), everyOp, /received bytes to be/],
  [
    "answer a short message with the rest of a longer one before it",
    faulty((inner) => {
      const rooms = new Map<string, Uint8Array>();
      return {
        async perform(round) {
          return (await inner.perform(round)).map((reply, from) => {
            const place = `${round.op} ${from}`, room = rooms.get(place) ?? new Uint8Array(0);
            const longer = new Uint8Array(Math.max(room.length, reply.length));
            longer.set(room);
            longer.set(reply);
            rooms.set(place, longer);
            return longer.slice();
          });
        },
      };
    }),
    "size 3: any rounds in any order",
    /length to be \d+, received \d+/,
  ],
  [
    "add in an order of each rank's own",
    summing((ranks, rank) => [...ranks.slice(rank), ...ranks.slice(0, rank)]),
    "sums of floats have the same bits",
    /sum of \d+ floats on rank 1 of 3/,
  ],
  [
    "add from the last rank to the first though they promise rank order",
    summing((ranks) => ranks.toReversed()),
    "sums of floats have the same bits",
    /sum of \d+ floats on rank 0 of 3/,
    { inRankOrder: true },
  ],
  [
    "leave zeros where a round failed",
    failing((error, round) => {
      if (round.op === "allReduce") round.vector.fill(0);
      throw error;
    }),
    killed,
    /the vectors to be as they were/,
  ],
  ["blame a bystander", failing(() => raise(blaming(1))), killed, /rank 0 to be named, received 1/],
  [
    "throw errors of another kind",
    failing(() => raise(new Error("lost"))),
    killed,
    /a TransportError, received Error: lost/,
  ],
  [
    "wait for a rank that was killed",
    failing(never as never),
    killed,
    /the loss of rank 0 to reject, received nothing/,
  ],
  [
    "go on without those that were lost",
    faulty((inner) => {
      let failed = false;
      return {
        perform: async (round) =>
          failed ? [] : await inner.perform(round).catch((error) => {
            failed = true;
            throw error;
          }),
      };
    }),
    killed,
    /the loss of rank 0 to reject, received success/,
  ],
  [
    "do not notice a loss between rounds",
    failing((error, round) => round.op === "allReduce" ? [] : raise(error)),
    "a rank that is killed between rounds",
    /the loss of rank 1 to reject, received success/,
  ],
  [
    "keep an abort to themselves",
    faulty(() => ({ abort: () => Promise.resolve() })),
    aborted,
    /the loss of rank 1 to reject, received nothing/,
  ],
  [
    "abort without the reason",
    faulty((inner) => ({ abort: (reason) => inner.abort!(relabelled(reason, "ended")) })),
    aborted,
    /the reason no space, received/,
  ],
  [
    "abort in their own name",
    faulty((inner) => ({ abort: (reason) => inner.abort!(new Error(reason.message)) })),
    aborted,
    /rank 0 to be named, received 1/,
  ],
  [
    "cannot be aborted twice",
    faulty((inner) => {
      let aborted = false;
      return {
        async abort(reason) {
          if (aborted) throw new Error("aborted already");
          aborted = true;
          await inner.abort!(reason);
        },
      };
    }),
    aborted,
    /aborted already/,
  ],
  [
    "have no deadline at all",
    (size) => ({ groups: memory(size).map((transport) => collective(transport, { timeout: 60_000 })) }),
    "a rank that does not take part",
    /the loss of rank 2 to reject, received nothing/,
  ],
  [
    "have no deadline for messages to each",
    (size, timeout) => ({
      groups: memory(size).map((transport) =>
        changed(collective(transport, { timeout }), (inner) => ({
          perform: (round) => inner.perform(round).catch((error) => round.op === "allToAll" ? never() : raise(error)),
        }))
      ),
    }),
    "a rank that does not take part",
    /the loss of rank 0 to reject, received nothing/,
  ],
  [
    "blame who is nearer than a silent root",
    failing((error, round, { rank }) => raise(round.op === "broadcast" && rank === 1 ? blaming(0) : error)),
    "a root that does not broadcast",
    /rank 2 to be named, received 0/,
  ],
  [
    "are impatient",
    (size, timeout) => ({
      groups: memory(size).map((transport) => collective(transport, { timeout: timeout / 50 })),
    }),
    "a rank that is late",
    /Cannot finish round 1/,
  ],
  [
    "pass over ops that differ",
    failing(() => []),
    "ranks that ask for different ops",
    /beside \w+ to reject, received success/,
  ],
  [
    "leave zeros where ops differ",
    failing((error, round) => {
      if (round.op === "allReduce") round.vector.fill(0);
      throw error;
    }),
    "ranks that ask for different ops",
    /the vector to be as it was/,
  ],
  [
    "blame a peer for a mistake in a round",
    failing((_, round) => raise(round.op === "broadcast" ? blaming(0) : new RangeError("wrong"))),
    "what is wrong with a round is told",
    /an error of the caller's, received/,
  ],
  [
    "take a round to roots that do not exist",
    failing((error, round) => round.op === "broadcast" ? [] : raise(error)),
    "what is wrong with a round is told",
    /broadcast to reject, received success/,
  ],
  [
    "end for a mistake in a round",
    faulty((inner) => ({
      perform: (round) =>
        inner.perform(round).catch(async (error) => {
          if (round.op === "allToAll") await inner[Symbol.asyncDispose]();
          throw error;
        }),
    })),
    "what is wrong with a round is told",
    /has left the group/,
  ],
  ["take rounds after their end", failing(() => []), "a group that was disposed of", /a round after the end to reject/],
  [
    "cannot be disposed of twice",
    faulty((inner) => {
      let left = false;
      return {
        async [Symbol.asyncDispose]() {
          if (left) throw new Error("disposed of already");
          left = true;
          await inner[Symbol.asyncDispose]();
        },
      };
    }),
    "a group that was disposed of",
    /disposed of already/,
  ],
];

function raise(error: unknown): never {
  throw error;
}

function relabelled(reason: Error, message: string): Error {
  return reason instanceof TransportError && reason.rank !== undefined
    ? new TransportError(message, { rank: reason.rank })
    : new Error(message);
}

const common = { sizes: [3], runs: 5, timeout: 500, patience: 2500, traffic: collectiveTraffic(0) };

for (const [what, make, check, says, options] of faults) {
  Deno.test(`collectiveProperties says what is wrong with groups that ${what}`, async () => {
    const properties = collectiveProperties(make, { ...common, ...options });
    const found = properties.filter(({ name }) => name.startsWith(check));
    assertEquals(found.length, 1, check);
    const said = await Promise.resolve(found[0]!.check()).then(
      () => "nothing",
      (error) => (error.cause ?? error).message,
    );
    assert(says.test(said), `said "${said}", expected ${says}`);
  });
}
