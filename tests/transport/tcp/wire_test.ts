import { pair } from "./ranks.ts";
import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { TransportError } from "../../../transport/mod.ts";
import { kinds, packet } from "./puppet.ts";

Deno.test("what is announced is not allocated before it comes", async () => {
  const { rank, other } = await pair(1500), before = Deno.memoryUsage().external;
  await other.write(packet(kinds.data, new Uint8Array(10), 2 ** 30));
  const receiving = assertRejects(() => rank.receive(1), TransportError, "rank 0 has heard nothing from it for 1.");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const more = Deno.memoryUsage().external - before;
  assert(more < 2 ** 24, `${more} bytes for 10 that came`);
  assertEquals((await receiving).rank, 1);
  other.close();
  await rank[Symbol.asyncDispose]();
});

Deno.test("a message that comes byte by byte is received", async () => {
  const { rank, other } = await pair(3000), receiving = rank.receive(1);
  for (const byte of packet(kinds.data, Uint8Array.of(1, 2, 3))) {
    await other.write(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 400)); // 11 bytes, 4.4 s: longer than the deadline
  }
  assertEquals([...await receiving], [1, 2, 3]);
  other.close();
  await rank[Symbol.asyncDispose]();
});

Deno.test("messages longer than what is allocated at once arrive unaltered", async () => {
  const { rank, other } = await pair();
  for (const length of [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_001]) {
    const bytes = new Uint8Array(length).map((_, i) => i * 31 >> 3), writing = other.write(packet(kinds.data, bytes));
    assertEquals(await rank.receive(1), bytes);
    await writing;
  }
  other.close();
  await rank[Symbol.asyncDispose]();
});
