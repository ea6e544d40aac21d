import { assertEquals } from "@std/assert/mod.js";
import { collectiveTraffic } from "../../testing/traffic.ts";
import type { WireRound } from "../../transport/mod.ts";

Deno.test("collectiveTraffic: bytes by hand, with 16 of a header and 8 of a frame for each packet", () => {
  const traffic = collectiveTraffic(8), message = (length: number) => new Uint8Array(length);
  const gather = [10, 20, 30].map((length): WireRound => ({ op: "allGather", message: message(length) }));
  assertEquals(traffic(gather, 0), { sentBytes: 2 * (10 + 24), receivedBytes: 20 + 30 + 2 * 24 });
  // Rank 1 is the root of three: it sends to both others.
  const broadcast = [0, 7, 0].map((length): WireRound => ({ op: "broadcast", root: 1, message: message(length) }));
  assertEquals(traffic(broadcast, 1), { sentBytes: 2 * (7 + 24), receivedBytes: 0 });
  assertEquals(traffic(broadcast, 2), { sentBytes: 0, receivedBytes: 7 + 24 });
  // Two ranks exchange short vectors whole, and of long ones each the half that the other sums, and back.
  const sum = (length: number) => [0, 1].map((): WireRound => ({ op: "allReduce", vector: new Float32Array(length) }));
  assertEquals(traffic(sum(100), 0).sentBytes, 400 + 24);
  assertEquals(traffic(sum(10_000), 0).sentBytes, 2 * (20_000 + 24));
  // A long message goes in packets of 262 144 bytes.
  const long = [0, 1].map((): WireRound => ({ op: "allToAll", messages: [message(0), message(262_145)] }));
  assertEquals(traffic(long, 0), { sentBytes: 262_145 + 16 + 2 * 8, receivedBytes: 24 });
});
