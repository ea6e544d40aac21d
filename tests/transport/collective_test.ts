import { collectiveProperties, collectiveTraffic } from "../../testing/mod.ts";
import { collective, memory } from "../../transport/mod.ts";

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
