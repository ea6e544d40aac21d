import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { together } from "../../../../optimizers/tfjs/agreement/together.ts";
import { type Collective, collective, memory } from "../../../../transport/mod.ts";

async function each<R>(work: (group: Collective) => Promise<R>): Promise<R[]> {
  const groups = memory(3).map((transport) => collective(transport, { timeout: 5000 }));
  const results = await Promise.all(groups.map(work));
  for (const group of groups) await group[Symbol.asyncDispose]();
  return results;
}

Deno.test("together: every rank hears what the work gave on each, or which ranks failed and why", async () => {
  assertEquals(await each((group) => together(group, "do it", "one", () => group.rank * 2)), Array(3).fill([0, 2, 4]));
  await each((group) =>
    assertRejects(
      () =>
        together(group, "do it", "one", () => {
          if (group.rank > 0) throw new Error(`no ${group.rank}`);
        }),
      Error,
      "Cannot do it: rank 1: no 1; rank 2: no 2",
    )
  );
});

Deno.test("together: ranks at other points, or in other calls, are told so", async () => {
  await each((group) =>
    assertRejects(
      () => together(group, "do it", group.rank < 2 ? "one" : "two", () => 0),
      Error,
      group.rank < 2 ? "rank 2 is at another point of it" : "rank 0 is at another point of it",
    )
  );
  await each((group) =>
    group.rank === 2 ? group.perform({ op: "allGather", message: new TextEncoder().encode("7") }) : assertRejects(
      () => together(group, "do it", "write", () => 0),
      Error,
      "rank 0 is in saveTo, rank 2 sent 1 bytes",
    )
  );
});
