/** Whom the ranks blame in the middle of their rounds: the one lost, and not a bystander. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  type Collective,
  collective,
  memory,
  tcp,
  type Transport,
  TransportError,
  type WireRound,
} from "../../../transport/mod.ts";
import { type OpName, opNames } from "../../../transport/ops.ts";
import { freePort } from "../tools/ports.ts";
import { link } from "../tcp/throttle.ts";

const host = "127.0.0.1", size = 4;

/** What happens to a rank when it has sent so many packets. */
type Fate = "leaves" | "stops" | "throws";

/** A transport to whose rank something happens. One that stops neither sends nor receives any more. */
function doomed(transport: Transport, packets: number, fate: Fate): Transport {
  const never = new Promise<never>(() => {});
  let sent = 0;
  return {
    rank: transport.rank,
    size: transport.size,
    framing: transport.framing ?? 0,
    async send(to, message) {
      if (sent++ < packets) return await transport.send(to, message);
      if (fate === "stops") return await never;
      if (fate === "leaves") await transport[Symbol.asyncDispose]();
      throw new Error("no memory");
    },
    receive: (from) => sent > packets ? never : transport.receive(from),
    abort: (reason) => fate === "stops" ? never : transport.abort!(reason),
    [Symbol.asyncDispose]: () => fate === "stops" ? Promise.resolve() : transport[Symbol.asyncDispose](),
  };
}

function roundOf(op: OpName, length: number, root: number): WireRound {
  switch (op) {
    case "allReduce":
      return { op, vector: new Float32Array(length / 4) };
    case "allToAll":
      return { op, messages: Array.from({ length: size }, () => new Uint8Array(length)) };
    case "allGather":
      return { op, message: new Uint8Array(length) };
    case "broadcast":
      return { op, root, message: new Uint8Array(length) };
  }
}

/** Performs rounds until one fails, and says in which that was. */
async function untilItFails(
  group: Collective,
  round: () => WireRound,
): Promise<{ error: TransportError; round: number }> {
  for (let i = 0;; i++) {
    try {
      await group.perform(round());
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return { error, round: i };
    }
  }
}

const accidents = fc.record({
  op: fc.constantFrom(...opNames),
  length: fc.constantFrom(16, 40_000, 600_000),
  root: fc.nat(size - 1),
  culprit: fc.nat(size - 1),
  packets: fc.nat(20),
  fate: fc.constantFrom<Fate>("leaves", "stops", "throws"),
});

type Accident = typeof accidents extends fc.Arbitrary<infer T> ? T : never;

/**
 * Draws accidents and has all of them, those that end at once so many at a time, and those that end in a deadline
 * together.
 */
async function haveAll(
  numRuns: number,
  seed: number,
  atOnce: number,
  have: (accident: Accident) => Promise<void>,
): Promise<void> {
  const all = fc.sample(accidents, { numRuns, seed });
  const [stops, others] = [true, false].map((stop) => all.filter(({ fate }) => (fate === "stops") === stop));
  await Promise.all(stops!.map(have));
  for (let i = 0; i < others!.length; i += atOnce) await Promise.all(others!.slice(i, i + atOnce).map(have));
}

/** All others name the culprit; nobody is more than one round ahead of anybody. */
async function allName(
  transports: readonly Transport[],
  { op, length, root, culprit, packets, fate }: Accident,
  deadlines: { readonly timeout: number; readonly roundTimeout?: number },
): Promise<void> {
  const groups = transports.map((transport, rank) =>
    collective(rank === culprit ? doomed(transport, packets, fate) : transport, deadlines)
  );
  const others = groups.filter(({ rank }) => rank !== culprit);
  const rounds = groups.map(() => {
    let turn = 0;
    // Every rank is the root now and then. In between they gather, so that nobody is far ahead of another one.
    return () => roundOf(turn % 2 === 0 ? op : "allGather", length, (root + turn++) % size);
  });
  const doing = untilItFails(groups[culprit]!, rounds[culprit]!);
  const ends = await Promise.all(others.map((group) => untilItFails(group, rounds[group.rank]!)));
  const what = `${op} of ${length} bytes, root ${root}, rank ${culprit} ${fate} after ${packets} packets`;
  for (const { error } of ends) assertEquals(error.rank, culprit, `${what}: ${error.message}`);
  const last = ends.map(({ round }) => round);
  assert(op === "broadcast" || Math.max(...last) - Math.min(...last) <= 1, `${what}: failed in rounds ${last}`);
  await doing;
  await Promise.all(groups.map((group) => group[Symbol.asyncDispose]()));
}

Deno.test("memory: whatever a rank does in the middle of whatever round, all others name it", () =>
  haveAll(120, 3, 30, (accident) => allName(memory(size), accident, { timeout: 4000 })));

Deno.test("tcp: whatever a rank does in the middle of whatever round, all others name it", () =>
  haveAll(40, 5, 10, async (accident) => {
    const port = freePort(), timeout = 20_000;
    const transports = await Promise.all([0, 1, 2, 3].map((rank) => tcp({ rank, size, host, port, timeout })));
    // A rank that stops within its process still sends heartbeats.
    await allName(transports, accident, { timeout, roundTimeout: 5000 });
    await Promise.all(transports.map((transport) => transport[Symbol.asyncDispose]()));
  }));

Deno.test("two ranks that no longer hear each other, although both live, are named alike by all", async () => {
  const port = freePort(), options = { size: 3, host, timeout: 3000, heartbeat: 150, connectTimeout: 30_000 };
  await using between = link(port); // ranks 0 and 1
  const transports = await Promise.all(
    [port, between.port, port].map((port, rank) => tcp({ ...options, rank, port })),
  );
  const groups = transports.map((transport) => collective(transport, { timeout: options.timeout }));
  const gather = () => roundOf("allGather", 100, 0);
  await Promise.all(groups.map((group) => group.perform(gather())));
  between.cut();
  for (const { error } of await Promise.all(groups.map((group) => untilItFails(group, gather)))) {
    assertMatch(error.message, /rank 0 has heard nothing from (rank 1|it) for 3\.?\d* s/);
    assertStringIncludes(error.message, "rank 1");
    assertEquals(error.rank, 1, error.message);
  }
  await Promise.all(groups.map((group) => group[Symbol.asyncDispose]()));
});

Deno.test("tcp: who is told to give up passes it on, in the same words, also between rounds", async () => {
  const port = freePort(), options = { size: 3, host, timeout: 20_000, connectTimeout: 30_000 };
  await using between = link(port); // ranks 0 and 1
  const transports = await Promise.all(
    [port, between.port, port].map((port, rank) => tcp({ ...options, rank, port })),
  );
  between.cut(); // What rank 0 tells reaches rank 1 by way of rank 2 only, which performs no round.
  const receiving = transports[1]!.receive(2).then(() => undefined, (error) => error as TransportError);
  await transports[0]!.abort!(new TransportError("rank 7 \x1b[31m is on fire", { rank: 7 }));
  // Who is not told would wait for ever.
  const timer = setTimeout(() => transports[1]![Symbol.asyncDispose](), 15_000), error = await receiving;
  clearTimeout(timer);
  assertEquals([error!.rank, error!.message], [7, "Cannot go on: rank 0 gave up: rank 7 \\u{1b}[31m is on fire"]);
  await Promise.all(transports.map((transport) => transport[Symbol.asyncDispose]()));
});
