import { assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import {
  broadcastChannel,
  broadcastChannelAsync,
  type BroadcastChannelOptions,
  groupMemory,
  TransportError,
} from "../../../transport/mod.ts";

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
