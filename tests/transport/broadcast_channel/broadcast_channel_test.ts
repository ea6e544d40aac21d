import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert/mod.js";
import { broadcastChannel, type BroadcastChannelOptions } from "../../../transport/mod.ts";
import { collectiveProperties } from "../../../testing/mod.ts";
import type { Deed, Outcome } from "./broadcast_worker.ts";
import { Remote } from "../blocking/remote.ts";
import { traffic } from "../shared_memory/ranks.ts";
import { testClaims } from "../tools/at_once.ts";
import { exactRounds } from "../tools/rounds.ts";

/** Starts workers, one per deed; each outcome is awaited on its own. */
function start(deeds: readonly Deed[], options: Partial<BroadcastChannelOptions> = {}) {
  const name = crypto.randomUUID();
  const ranks = deeds.map((deed, rank) => {
    const worker = new Worker(new URL("./broadcast_worker.ts", import.meta.url), { type: "module" });
    let going = () => {};
    const started = new Promise<void>((resolve) => going = resolve);
    const outcome = new Promise<Outcome>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<Outcome | "going">) => data === "going" ? going() : resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve({ value: "died" });
      };
    });
    worker.postMessage({ options: { name, rank, size: deeds.length, timeout: 30_000, ...options }, deed });
    return { worker, outcome, started };
  });
  return { ranks, [Symbol.dispose]: () => ranks.forEach(({ worker }) => worker.terminate()) };
}

function failure(outcome: Outcome): { name: string; message: string; rank?: number } {
  if (!("error" in outcome)) throw new Error(`expected a failure, got ${JSON.stringify(outcome)}`);
  return outcome.error;
}

const remotes: Remote[] = [];

function suite() {
  const before: Remote[] = [], options = { inRankOrder: true, traffic, timeout: 2000, patience: 10_000, runs: 3 };
  return collectiveProperties(async (size, timeout) => {
    for (const remote of before.splice(0)) remote.kill();
    const groups = await Remote.joinAll({ name: crypto.randomUUID(), size, timeout, connectTimeout: 60_000 });
    before.push(...groups), remotes.push(...groups);
    return { groups }; // A worker that is terminated is named only after the deadline: see below.
  }, { ...options, sizes: [2, 3], lengths: [0, 1, 7, 8193, 300_007] });
}

testClaims("broadcastChannel", suite, 3, () => {
  for (const remote of remotes.splice(0)) remote.kill();
});

for (const [size, capacity] of [[4, 1 << 14], [5, 640]] as const) {
  Deno.test(`${size} workers exchange what one thread computes, through segments of ${capacity} bytes`, async () => {
    using group = start(Array<Deed>(size).fill("exact"), { capacity });
    for (const { outcome } of group.ranks) {
      const done = await outcome;
      if (!("value" in done)) throw new Error(JSON.stringify(done));
      assertEquals((done.value as { checked: number }).checked, exactRounds(size).length);
    }
  });
}

for (
  const [deed, message] of [
    ["throws", "rank 1 failed: Error: the deed"],
    ["rejects", "rank 1 failed: Error: the promise"],
    ["exits", "rank 1 ended"],
    ["leaves", "rank 1 left the group"],
  ] as const
) {
  Deno.test(`a rank that ${deed} is named by the others at once`, async () => {
    using group = start(["go", deed, "go"]);
    for (const rank of [0, 2]) {
      const outcome = await group.ranks[rank]!.outcome;
      assertEquals(failure(outcome), {
        name: "TransportError",
        message: `Cannot perform allReduce: ${message}`,
        rank: 1,
      });
      assert("after" in outcome && outcome.after < 30_000, "it took as long as the deadline");
    }
  });
}

Deno.test("a worker that is terminated is named by the others after the deadline", async () => {
  using group = start(["go", "amble", "go"], { timeout: 3000, connectTimeout: 30_000 });
  await Promise.all(group.ranks.map(({ started }) => started));
  group.ranks[1]!.worker.terminate();
  for (const rank of [0, 2]) {
    const { name, message, rank: lost } = failure(await group.ranks[rank]!.outcome);
    assertEquals([name, lost], ["TransportError", 1]);
    assertMatch(message, /rank 1 did not answer within 3 s; timeout raises the limit/);
  }
});

Deno.test("ranks that ask for different rounds are refused, all of them alike", async () => {
  using group = start(["go", "gathers", "go"]);
  for (const { outcome } of group.ranks) {
    assertMatch(failure(await outcome).message, /rank 0 asks for allReduce, rank 1 for allGather/);
  }
  using lengths = start(["go", "shorter"]);
  for (const { outcome } of lengths.ranks) {
    assertEquals(failure(await outcome), {
      name: "RangeError",
      message: "Cannot all-reduce: rank 1 has 9999 numbers, rank 0 has 10000",
    });
  }
});

Deno.test("options are checked", async () => {
  const refused = async (options: Partial<BroadcastChannelOptions>, message: string) =>
    void await assertRejects(() => broadcastChannel({ name: "n", rank: 0, size: 1, ...options }), RangeError, message);
  await refused({ size: 0 }, "Cannot connect group n: size is 0, expected an integer from 1 to 1024");
  await refused({ rank: 1 }, "rank is 1, expected an integer from 0 to 0");
  await refused({ timeout: 0 }, "Cannot connect group n: timeout is 0, expected a number > 0");
  await refused({ capacity: 100 }, "capacity is 100, expected a multiple of 64");
});

Deno.test("where blocking is forbidden, a TypeError says what to do", async () => {
  const { wait } = Atomics;
  Atomics.wait = () => {
    throw new TypeError("Atomics.wait cannot be called in this context");
  };
  try {
    await assertRejects(
      () => broadcastChannel({ name: "page", rank: 0, size: 1 }),
      TypeError,
      "train in a Worker, or use minimizeAsync",
    );
  } finally {
    Atomics.wait = wait;
  }
});

Deno.test("a round that was started is exchanged while this thread does something else", async () => {
  const name = crypto.randomUUID(),
    [group, remote] = await Promise.all([
      broadcastChannel({ name, rank: 0, size: 2 }),
      Remote.join({ name, rank: 1, size: 2 }),
    ]);
  const finish = group.start!({ op: "allGather", message: Uint8Array.of(1, 2) });
  assertThrows(() => group.perform({ op: "allGather", message: new Uint8Array(0) }), Error, "has not been waited for");
  // The other rank has its reply before this one waits.
  const replies = await remote.perform({ op: "allGather", message: Uint8Array.of(3) });
  assertEquals(replies.map((reply) => [...reply]), [[1, 2], [3]]);
  assertEquals(finish().map((reply) => [...reply]), [[1, 2], [3]]);
  const sum = Float32Array.of(1), other = Float32Array.of(2), sums = group.start!({ op: "allReduce", vector: sum });
  await remote.perform({ op: "allReduce", vector: other });
  sums();
  assertEquals([sum[0], other[0]], [3, 3]);
  await remote[Symbol.asyncDispose]();
  remote.kill();
  group[Symbol.dispose]();
});

Deno.test("rounds are checked before anything is sent", async () => {
  using group = await broadcastChannel({ name: "one", rank: 0, size: 1 });
  assertThrows(() => group.perform({ op: "broadcast", root: 1, message: new Uint8Array(1) }), RangeError, "root");
  assertThrows(() => group.perform({ op: "allToAll", messages: [] }), RangeError, "0 messages for 1 ranks");
  assertEquals(group.traffic.rounds, 0);
});
