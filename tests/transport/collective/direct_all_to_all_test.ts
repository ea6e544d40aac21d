import { assertEquals } from "@std/assert/mod.js";
import { directAllToAll } from "../../../transport/collective/direct_all_to_all.ts";
import { counts, recorded } from "./recorded.ts";

Deno.test("a direct all-to-all sends each message to the rank that it is for, and to no other", async () => {
  const message = (from: number, to: number) => new Uint8Array(from + to).fill(10 * from + to);
  const rounds = [0, 1, 2].map((from) =>
    ({ op: "allToAll", messages: [0, 1, 2].map((to) => message(from, to)) }) as const
  );
  const round = await recorded(directAllToAll, rounds);
  round.replies.forEach((replies, to) => assertEquals(replies, [0, 1, 2].map((from) => message(from, to))));
  assertEquals(counts(round), [[0, 1, 1], [1, 0, 1], [1, 1, 0]]);
  assertEquals(round.packets[2]![0]![0], Uint8Array.of(2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 20, 20));
});
