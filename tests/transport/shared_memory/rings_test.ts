import { assertEquals } from "@std/assert/mod.js";
import { broadcastChannelTransport } from "../../../transport/mod.ts";

Deno.test("rings of any capacity carry more than their counters count", async () => {
  // 640 bytes do not divide 2³²; the counters go round every 1 280 bytes.
  const name = crypto.randomUUID(),
    ranks = await Promise.all(
      [0, 1].map((rank) => broadcastChannelTransport({ name, rank, size: 2, capacity: 640 })),
    );
  for (let i = 0; i < 300; i++) {
    const message = new Uint8Array(i * 7 % 1500).map((_, k) => i + k), sending = ranks[0]!.send(1, message);
    assertEquals(await ranks[1]!.receive(0), message);
    await sending;
  }
  await Promise.all(ranks.map((rank) => rank[Symbol.asyncDispose]()));
});
