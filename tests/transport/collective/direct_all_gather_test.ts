import { assertEquals } from "@std/assert/mod.js";
import { directAllGather } from "../../../transport/collective/direct_all_gather.ts";
import { counts, recorded } from "./recorded.ts";

Deno.test("a direct all-gather sends each message once to each other rank, in packets of 256 KiB", async () => {
  const messages = [Uint8Array.of(1, 2), new Uint8Array(0), new Uint8Array(300_000).fill(3)];
  const round = await recorded(directAllGather, messages.map((message) => ({ op: "allGather", message })));
  for (const replies of round.replies) assertEquals(replies, messages);
  assertEquals(counts(round), [[0, 1, 1], [1, 0, 1], [2, 2, 0]]);
  assertEquals(round.packets[0]![2]![0], Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2));
  assertEquals(round.packets[2]![0]!.map(({ length }) => length), [16 + 262_144, 300_000 - 262_144]);
});
