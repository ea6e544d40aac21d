import { collectiveProperties, collectiveTraffic } from "../../testing/mod.ts";
import { assertThrows } from "@std/assert/mod.js";
import { alone, collective, memory, TransportError } from "../../transport/mod.ts";

const make = (size: number, timeout: number) => ({
  groups: memory(size).map((transport) => collective(transport, { timeout })),
});
for (
  const { name, check } of collectiveProperties(make, {
    inRankOrder: true,
    traffic: collectiveTraffic(0),
    timeout: 200,
  })
) Deno.test(`collective over memory: ${name}`, check);

Deno.test("a group of one can be ended with a reason, too", () => {
  using group = alone();
  group.abort!(new Error("no space"));
  group.abort!(new Error("another reason"));
  assertThrows(() => group.perform({ op: "allGather", message: new Uint8Array(0) }), TransportError, "no space");
});
