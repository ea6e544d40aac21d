import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { Channel } from "../../../transport/collective/channel.ts";
import { RoundDeadlines } from "../../../transport/collective/round_deadlines.ts";
import type { Tag } from "../../../transport/collective/header.ts";
import { memory, TransportError } from "../../../transport/mod.ts";

const tag: Tag = { op: "allGather", phase: 0, agreed: 0 };

function channels(size: number): Channel[] {
  return memory(size).map((transport) =>
    new Channel(transport, new RoundDeadlines(transport, {}), 1 << 20, (length) => new Uint8Array(length))
  );
}

Deno.test("a message is received into memory of its length, in packets, and both ends count its bytes", async () => {
  const [first, second] = channels(2), message = new Uint8Array(600_000).map((_, i) => i * 3);
  const target = new Uint8Array(600_000);
  await Promise.all([first!.send(1, tag, message), second!.receive(0, tag, target)]);
  assertEquals(target, message);
  assertEquals([first!.traffic.sentBytes, second!.traffic.receivedBytes], [600_016, 600_016]);
});

Deno.test("a message of another length than expected, and a packet of another length than agreed, name their sender", async () => {
  const [first, second, third] = channels(3);
  await first!.send(1, tag, new Uint8Array(5));
  const receiving = () => second!.receive(0, tag, new Uint8Array(4));
  const error = await assertRejects(receiving, TransportError, "rank 0 sent 5 bytes, 4 were expected");
  assertEquals(error.rank, 0);
  await third!.send(1, tag, new Uint8Array(3));
  const next = await assertRejects(() => second!.receiveNext(2, 7), TransportError, "of 19 bytes, agreed are 7");
  assertEquals(next.rank, 2);
  await Promise.all([first!, third!].map((channel) => channel.send(1, tag, new Uint8Array(5))));
  const all = () => second!.receiveFromAll(tag, (lengths) => lengths.map(() => new Uint8Array(6)));
  await assertRejects(all, TransportError, "rank 2 sent 5 bytes, 6 were expected");
});

Deno.test("each message of a reply begins at a multiple of 16 bytes", async () => {
  const [channel] = channels(1);
  const places = await channel!.reserveEach([3, 0, 16, 17]);
  assertEquals(places.map(({ byteOffset, length }) => [byteOffset, length]), [[0, 3], [16, 0], [16, 16], [32, 17]]);
});
