import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert/mod.js";
import {
  broadcastChannel,
  broadcastChannelAsync,
  type BroadcastChannelOptions,
  broadcastChannelTransport,
  collective,
  groupMemory,
  performTogether,
  TransportError,
  type WireRound,
} from "../../../transport/mod.ts";
import { collectiveProperties, collectiveTraffic, transportProperties } from "../../../testing/mod.ts";
import type { Deed, Outcome } from "./broadcast_worker.ts";
import { Remote } from "../blocking/remote.ts";
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

for (
  const { name, check } of collectiveProperties(async (size, timeout) => {
    const groups = await Remote.joinAll({ name: crypto.randomUUID(), size, timeout, connectTimeout: 30_000 });
    remotes.push(...groups);
    return { groups }; // A worker that is terminated is named only after the deadline: see below.
  }, { inRankOrder: true, traffic, sizes: [2, 3], lengths: [0, 1, 7, 8193, 300_007], timeout: 2000, runs: 3 })
) {
  Deno.test(`broadcastChannel: ${name}`, async () => {
    try {
      await check();
    } finally {
      for (const remote of remotes.splice(0)) remote.kill();
    }
  });
}

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

Deno.test("ranks of one thread await the same rounds, and traffic counts what is read", async () => {
  const size = 3, name = crypto.randomUUID();
  const groups = await Promise.all(
    [0, 1, 2].map((rank) => broadcastChannelAsync({ name, rank, size, capacity: 4096 })),
  );
  for (const [i, rounds] of exactRounds(size).entries()) {
    const expected = performTogether(exactRounds(size)[i]!);
    const replies = await Promise.all(groups.map((group, rank) => group.perform(rounds[rank]!)));
    assertEquals(
      replies.map((list) => list.map((reply) => [...reply])),
      expected.map((list) => list.map((reply) => [...reply])),
    );
  }
  const before = groups.map(({ traffic }) => ({ ...traffic }));
  await Promise.all(groups.map((group) => group.perform({ op: "allReduce", vector: new Float32Array(30_000) })));
  await Promise.all(
    groups.map((group, rank) => group.perform({ op: "allGather", message: new Uint8Array(10 * rank) })),
  );
  groups.forEach(({ traffic }, rank) => {
    assertEquals(traffic.sentBytes - before[rank]!.sentBytes, 8 * 20_000 + 2 * 10 * rank);
    assertEquals(traffic.receivedBytes - before[rank]!.receivedBytes, 8 * 20_000 + 10 * (3 - rank));
    assertEquals(traffic.encodedBytes - before[rank]!.encodedBytes, 120_000 + 10 * rank);
  });
  for (const group of groups) await group[Symbol.asyncDispose]();
  await assertRejects(
    () => groups[0]!.perform({ op: "allReduce", vector: new Float32Array(1) }),
    TransportError,
    "closed",
  );
});

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

Deno.test("a reply may be sent on, also one that came in parts", async () => {
  const { groups: ranks } = await groups(3, 5000, 1024);
  const all = async (messages: readonly Uint8Array[]) =>
    await Promise.all(ranks.map((group, rank) => group.perform({ op: "allGather", message: messages[rank]! })));
  const sent = ranks.map(({ rank }) => new Uint8Array(5000).map((_, i) => i * (rank + 3)));
  const first = await all(sent), second = await all(first.map((replies, rank) => replies[(rank + 1) % 3]!));
  for (const replies of second) {
    assertEquals(replies.map((reply) => [...reply]), [1, 2, 0].map((rank) => [...sent[rank]!]));
  }
  for (const group of ranks) await group[Symbol.asyncDispose]();
});

Deno.test("a rank that leaves in the middle of a sum leaves all vectors as they were", async () => {
  const { groups: [first, second] } = await groups(2, 5000, 640);
  const vectors = [first!, second!].map(() => new Float32Array(100_000).fill(1)); // in about 1 000 chunks
  const sums = [first!, second!].map((group, rank) =>
    assertRejects(() => group.perform({ op: "allReduce", vector: vectors[rank]! }), TransportError, "rank 1 left")
  );
  await new Promise((resolve) => setTimeout(resolve, 30));
  await second![Symbol.asyncDispose]();
  await Promise.all(sums);
  for (const vector of vectors) assert(vector.every((value) => value === 1));
  await first![Symbol.asyncDispose]();
});

Deno.test("ranks that do not belong together do not connect", async () => {
  const join = (name: string, rank: number, size: number, options: Partial<BroadcastChannelOptions> = {}) =>
    assertRejects(() => broadcastChannel({ name, rank, size, ...options }), TransportError);
  const both = async (...joins: Promise<Error>[]) => (await Promise.all(joins)).map(({ message }) => message);
  for (const message of await both(join("sizes", 0, 2), join("sizes", 1, 3))) {
    assertEquals(message, "Cannot connect group sizes: rank 1 expects 3 ranks, rank 0 expects 2");
  }
  for (const message of await both(join("room", 0, 2), join("room", 1, 2, { capacity: 4096 }))) {
    assertEquals(message, "Cannot connect group room: rank 1 has capacity 4096, rank 0 has 16777216");
  }
  for (const message of await both(join("twins", 0, 3), join("twins", 1, 3), join("twins", 1, 3))) {
    assertEquals(message, "Cannot connect group twins: two workers claim to be rank 1");
  }
  for (const message of await both(join("firsts", 0, 2), join("firsts", 0, 2))) {
    assertEquals(message, "Cannot connect group firsts: two workers claim to be rank 0");
  }
  const [first, second] = await both(
    join("absent", 0, 4, { connectTimeout: 1500 }),
    join("absent", 2, 4, { connectTimeout: 1500 }),
  );
  assertEquals(
    first,
    "Cannot connect group absent: ranks 1, 3 did not join within 1.5 s; connectTimeout raises the limit",
  );
  assertEquals(second, first);
  assertEquals(
    await both(join("nobody", 1, 2, { connectTimeout: 300 })),
    ["Cannot connect group nobody: rank 0 did not join within 0.3 s; connectTimeout raises the limit"],
  );
});

Deno.test("ranks that are given their memory need no channel", async () => {
  const size = 2, memory = groupMemory({ size, capacity: 4096 });
  const join = (rank: number, options: Partial<BroadcastChannelOptions> = {}) =>
    broadcastChannelAsync({ name: `given ${rank}`, rank, size, capacity: 4096, memory, ...options });
  const ranks = await Promise.all([join(0), join(1)]);
  const sums = ranks.map(({ rank }) => Float32Array.of(rank, 1));
  await Promise.all(ranks.map((group, rank) => group.perform({ op: "allReduce", vector: sums[rank]! })));
  assertEquals(sums.map((sum) => [...sum]), [[1, 2], [1, 2]]);
  for (const group of ranks) await group[Symbol.asyncDispose]();
  await assertRejects(() => join(1), TransportError, "two workers claim to be rank 1");
  await assertRejects(() => join(1, { capacity: 8192 }), TransportError, "2 ranks with capacity 8192 need ");
  const fresh = groupMemory({ size, capacity: 4096 });
  await assertRejects(
    () => join(1, { memory: fresh, connectTimeout: 300 }),
    TransportError,
    "rank 0 did not join within 0.3 s",
  );
  assertThrows(() => groupMemory({ size: 0 }), RangeError, "size is 0");
});

Deno.test("barriers are counted beyond 2³⁰, as after some days of training", async () => {
  const size = 3, memory = groupMemory({ size, capacity: 4096, timeout: 30_000 });
  new Int32Array(memory.memory)[0] = 2 ** 31 - 8; // the gate: twice the number of the barrier that was passed last
  const ranks = await Promise.all(
    [0, 1, 2].map((rank) =>
      broadcastChannelAsync({ name: `long ${rank}`, rank, size, capacity: 4096, memory, timeout: 2000 })
    ),
  );
  for (let i = 0; i < 12; i++) {
    const message = (rank: number) => Uint8Array.of(10 * i + rank);
    const all = await Promise.all(
      ranks.map((group, rank) => group.perform({ op: "allGather", message: message(rank) })),
    );
    for (const replies of all) assertEquals(replies.map((reply) => [...reply]), [0, 1, 2].map((r) => [...message(r)]));
  }
  // Who is late is still told apart from who is not.
  const [first, , third] = ranks, gather = { op: "allGather", message: Uint8Array.of(1) } as const;
  for (const late of [first!, third!].map((group) => group.perform(gather))) {
    await assertRejects(() => late, TransportError, ": rank 1 did not answer within 2 s");
  }
  await Promise.all(ranks.map((group) => group[Symbol.asyncDispose]()));
});

Deno.test("options are checked", async () => {
  const refused = async (options: Partial<BroadcastChannelOptions>, message: string) =>
    void await assertRejects(() => broadcastChannel({ name: "n", rank: 0, size: 1, ...options }), RangeError, message);
  await refused({ size: 0 }, "Cannot connect group n: size is 0, expected an integer from 1 to 1024");
  await refused({ rank: 1 }, "rank is 1, expected an integer from 0 to 0");
  await refused({ timeout: 0 }, "Cannot connect group n: timeout must be above 0");
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

/** What the others read of a rank's bytes, and it of theirs: the documented traffic, an independent account. */
function traffic(rounds: readonly WireRound[], rank: number) {
  const read = (from: number, by: number): number => {
    const round = rounds[from]!, size = rounds.length;
    switch (round.op) {
      case "allGather":
        return round.message.length;
      case "allToAll":
        return round.messages[by]!.length;
      case "broadcast":
        return from === round.root ? round.message.length : 0;
      case "allReduce": {
        const { length } = round.vector;
        if (length <= 8192) return 4 * length;
        // In chunks of 2^18 floats, cut into stripes: one stripe to be summed by the other, one sum for it.
        let floats = 0;
        for (let at = 0; at < length; at += 1 << 18) {
          const here = Math.min(1 << 18, length - at);
          const stripe = (rank: number) => Math.floor(here * (rank + 1) / size) - Math.floor(here * rank / size);
          floats += stripe(by) + stripe(from);
        }
        return 4 * floats;
      }
    }
  };
  const others = [...rounds.keys()].filter((other) => other !== rank);
  return {
    sentBytes: others.reduce((sum, by) => sum + read(rank, by), 0),
    receivedBytes: others.reduce((sum, from) => sum + read(from, rank), 0),
  };
}

const groups = async (size: number, timeout: number, capacity: number) => {
  const name = crypto.randomUUID();
  return {
    groups: await Promise.all(
      Array.from(
        { length: size },
        (_, rank) => broadcastChannelAsync({ name, rank, size, timeout, capacity, connectTimeout: 30_000 }),
      ),
    ),
  };
};

for (
  const { name, check } of collectiveProperties((size, timeout) => groups(size, timeout, 1 << 24), {
    inRankOrder: true,
    traffic,
    sizes: [1, 2, 3, 5, 8],
    runs: 5,
  })
) Deno.test(`broadcastChannelAsync: ${name}`, check);

for (
  const { name, check } of collectiveProperties((size, timeout) => groups(size, timeout, 4096), {
    inRankOrder: true,
    sizes: [2, 3, 4],
    lengths: [0, 1, 1365, 4096, 4097, 8193],
    runs: 3,
  })
) Deno.test(`broadcastChannelAsync in small segments: ${name}`, check);

const rings = (size: number, timeout = 30_000) => {
  const name = crypto.randomUUID();
  return Promise.all(
    Array.from(
      { length: size },
      (_, rank) => broadcastChannelTransport({ name, rank, size, timeout, connectTimeout: 30_000 }),
    ),
  );
};

for (const { name, check } of transportProperties((size) => rings(size))) {
  Deno.test(`broadcastChannelTransport: ${name}`, check);
}

for (
  const { name, check } of collectiveProperties(async (size, timeout) => ({
    groups: (await rings(size)).map((transport) => collective(transport, { timeout })),
  }), {
    inRankOrder: true,
    traffic: collectiveTraffic(4),
    sizes: [1, 2, 4],
    lengths: [0, 1, 1000, 8193, 70_001],
    runs: 3,
  })
) Deno.test(`collective over broadcastChannelTransport: ${name}`, check);

Deno.test("broadcastChannelTransport: a rank that gives no sign of life is lost, one that is silent is not", async () => {
  const [first, second] = await rings(2, 900);
  const silent = first!.receive(1);
  await new Promise((resolve) => setTimeout(resolve, 2700));
  await second!.send(0, Uint8Array.of(1));
  assertEquals([...await silent], [1]);
  const { setInterval: beat } = globalThis;
  globalThis.setInterval = (() => 0) as never; // the ranks made now have no heart
  try {
    const [one, two] = await rings(2, 300);
    const error = await assertRejects(
      () => one!.receive(1),
      TransportError,
      "rank 1: it has shown no sign of life for 0.3 s",
    );
    assertEquals(error.rank, 1);
    for (const rank of [first, second, one, two]) await rank![Symbol.asyncDispose]();
  } finally {
    globalThis.setInterval = beat;
  }
});
