import { assertEquals } from "@std/assert/mod.js";
import { broadcastKind } from "../../../transport/broadcast_channel/kind_broadcast.ts";

Deno.test("broadcast: its ranks are workers of one process, which meet under a name of their own", async () => {
  const [one, other] = [broadcastKind.meetingPoint(), broadcastKind.meetingPoint()];
  assertEquals([broadcastKind.oneProcess, one.transport, one.name === other.name], [true, "broadcast", false]);
  using group = await broadcastKind.join({ rank: 0, size: 1, args: [], meeting: one }, { bind: "of no use here" });
  assertEquals([group.rank, group.size], [0, 1]);
});
