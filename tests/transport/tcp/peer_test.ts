import { pair } from "./ranks.ts";
import { assert, assertEquals } from "@std/assert/mod.js";
import { Peer } from "../../../transport/tcp/peer.ts";
import type { Wire } from "../../../transport/tcp/wire.ts";

Deno.test("packets that nobody receives are not read without end, empty ones neither", async () => {
  for (const length of [0, 1, 1000, 262_160, 1 << 23]) {
    const peer = new Peer(1, {} as Wire), packet = new Uint8Array(length);
    let count = 0;
    // The next one is read when there is room again: at once, or when something has been received.
    for (let room = true; room && count < 20_000; count++) {
      peer.arrived(packet);
      room = await Promise.race([peer.room().then(() => true), Promise.resolve().then(() => false)]);
    }
    assert(count >= 2 && count <= 8500, `${count} packets of ${length} bytes`);
    assert(length > 1 << 22 || count * length <= (1 << 22) + 2 * length, `${count} packets of ${length} bytes`);
    assert(peer.paused);
    let going = false;
    for (let left = count; left > 0; left--) {
      await peer.receive();
      going ||= !peer.paused;
    }
    assert(going, "it is read again when packets have been received");
  }
});

Deno.test("a member's flood of empty packets is slowed down, and what it sent is received", async () => {
  const { rank, other } = await pair(),
    flood = new Uint8Array(8 * 10_000),
    total = 3_000_000,
    before = Deno.memoryUsage();
  let sent = 0;
  const sending = (async () => {
    for (; sent < total; sent += 10_000) await other.write(flood);
  })();
  // Nobody receives until no more is taken. What lies in the system's buffers, some MB, is TCP's to limit.
  for (let last = -1; last !== sent;) {
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  assert(sent < total, "all of it was taken although nobody received");
  const after = Deno.memoryUsage(), more = after.external + after.heapUsed - before.external - before.heapUsed;
  assert(more < 2 ** 25, `${more} bytes for ${sent} empty packets`);
  for (let i = 0; i < 5000; i++) assertEquals((await rank.receive(1)).length, 0);
  other.close();
  await Promise.all([sending.catch(() => {}), rank[Symbol.asyncDispose]()]);
});
