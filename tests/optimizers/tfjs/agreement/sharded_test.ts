import { assert, assertEquals } from "@std/assert/mod.js";
import { noteSharded, shardedOver } from "../../../../optimizers/tfjs/agreement/sharded.ts";

Deno.test("sharded: equal on two ranks whose data were equal, in the same order; each group has its own", () => {
  const [one, same, turned, none] = [{}, {}, {}, {}];
  for (const group of [one, same]) noteSharded(group, "a"), noteSharded(group, "b");
  noteSharded(turned, "b"), noteSharded(turned, "a"), noteSharded(turned, "b");
  assertEquals(shardedOver(one), shardedOver(same));
  assert(shardedOver(one) !== shardedOver(turned) && shardedOver(one).startsWith("b (call 2, all calls "));
  noteSharded(same, "b");
  assert(shardedOver(one) !== shardedOver(same));
  assertEquals(shardedOver(none), "nothing");
});
