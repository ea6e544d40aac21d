import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { broadcastChannelAsync, groupMemory, TransportError } from "../../../transport/mod.ts";

import { RoundMemory } from "../../../transport/shared_memory/round_memory.ts";
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

Deno.test("what ranks write lies in cache lines of their own, halves and segments apart from each other", () => {
  const size = 3,
    capacity = 128,
    memory = new RoundMemory(new SharedArrayBuffer(RoundMemory.byteLength(size, capacity)), size, capacity);
  const headers = [0, 1].flatMap((half) => [0, 1, 2].map((rank) => 4 * memory.header(half, rank)));
  const segments = [0, 1].flatMap((half) => [0, 1, 2].map((rank) => memory.segment(half, rank)));
  for (const places of [headers, segments]) {
    assertEquals(places.every((at, i) => at % 64 === 0 && (i === 0 || at - places[i - 1]! >= 64)), true);
  }
  assert(headers.at(-1)! + 4 * (2 + size) <= segments[0]!);
  assertEquals(segments.at(-1)! + capacity, memory.buffer.byteLength);
});

Deno.test("a loss is recorded once, with its text, and opens no barrier", () => {
  const memory = new RoundMemory(new SharedArrayBuffer(RoundMemory.byteLength(2, 128)), 2, 128);
  const gate = memory.arrive(0);
  assertEquals(memory.late(gate), [1]);
  memory.giveUp(gate + 2, 1, "late for another barrier", 0);
  assertEquals(memory.gate & 1, 0);
  memory.giveUp(gate, 1, "rank 1 is late ß", 0);
  memory.lose(0, "too late", 1);
  assertEquals([memory.gate & 1, memory.error("go on").message, memory.error("go on").rank], [
    1,
    "Cannot go on: rank 1 is late ß",
    1,
  ]);
  memory.arrive(1);
  assertEquals(memory.gate & 1, 1);
});
