import { collectiveProperties, collectiveTraffic } from "../../../testing/mod.ts";
import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { collective, memory, TransportError } from "../../../transport/mod.ts";
import { communicator } from "../../../transport/collective/collective.ts";

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

Deno.test("the numbers of rounds are compared, and go round at 2³²", async () => {
  const header = (round: number) => new Uint8Array(Uint32Array.of(1, round, 1, 0).buffer);
  const transports = memory(2), group = communicator(transports[0]!, {});
  Object.assign(group.traffic, { rounds: 2 ** 32 - 2 });
  for (const round of [2 ** 32 - 1, 0, 1]) {
    await transports[1]!.send(0, Uint8Array.of(...header(round), 9));
    const [, reply] = await group.perform({ op: "allGather", message: Uint8Array.of(8) });
    assertEquals([...reply!], [9]);
    assertEquals([...(await transports[1]!.receive(0)).subarray(0, 8)], [...header(round).subarray(0, 8)]);
  }
  await transports[1]!.send(0, Uint8Array.of(...header(3), 9));
  const ahead = () => group.perform({ op: "allGather", message: Uint8Array.of(8) });
  const error = await assertRejects(ahead, TransportError, "rank 1 in round 3 (allGather)");
  assertEquals(error.rank, 1);
});
