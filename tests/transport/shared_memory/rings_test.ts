import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { broadcastChannelTransport, collective, TransportError } from "../../../transport/mod.ts";
import { collectiveProperties, collectiveTraffic, transportProperties } from "../../../testing/mod.ts";
import { testClaims } from "../tools/at_once.ts";
import { rings } from "./ranks.ts";

const common = { inRankOrder: true, patience: 10_000 };

for (const { name, check } of transportProperties((size) => rings(size))) {
  Deno.test(`broadcastChannelTransport: ${name}`, check);
}

testClaims("collective over broadcastChannelTransport", () =>
  collectiveProperties(async (size, timeout) => ({
    groups: (await rings(size)).map((transport) => collective(transport, { timeout })),
  }), {
    ...common,
    traffic: collectiveTraffic(4),
    sizes: [1, 2, 4],
    lengths: [0, 1, 1000, 8193, 70_001],
    runs: 3,
  }));

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
