import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { broadcastChannelAsync, performTogether, TransportError } from "../../../transport/mod.ts";
import { collectiveProperties } from "../../../testing/mod.ts";
import { testClaims } from "../tools/at_once.ts";
import { exactRounds } from "../tools/rounds.ts";
import { groups, traffic } from "./ranks.ts";

const common = { inRankOrder: true, patience: 10_000 };

testClaims("broadcastChannelAsync", () =>
  collectiveProperties((size, timeout) => groups(size, timeout, 1 << 24), {
    ...common,
    traffic,
    sizes: [1, 2, 3, 5, 8],
    runs: 5,
  }));

testClaims(
  "broadcastChannelAsync in small segments",
  () =>
    collectiveProperties((size, timeout) => groups(size, timeout, 4096), {
      ...common,
      sizes: [2, 3, 4],
      lengths: [0, 1, 1365, 4096, 4097, 8193],
      runs: 3,
    }),
);

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
